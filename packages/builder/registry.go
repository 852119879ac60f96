package builder

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages/archive"
)

// anonymousHost allows everyone to pull, but refuses an expired login. So no login is sent to it.
const anonymousHost = "public.ecr.aws"

// parallel is the number of layers that are moved at the same time.
const parallel = 4

func (b *Builder) remoteOptions(ctx context.Context, r name.Registry) []remote.Option {
	keychain := b.Keychain
	if keychain == nil || r.RegistryStr() == anonymousHost {
		keychain = authn.NewMultiKeychain()
	}
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithAuthFromKeychain(keychain),
		remote.WithTransport(b.transport()),
		remote.WithRetryBackoff(b.retry()),
		remote.WithJobs(parallel),
		remote.WithUserAgent("twinstart"),
	}
}

func (b *Builder) retry() remote.Backoff {
	return cmp.Or(b.Retry, remote.Backoff{Duration: 500 * time.Millisecond, Factor: 3, Jitter: 0.1, Steps: 5})
}

// transport gives up on a registry that does not answer. It sends nothing unencrypted to another machine.
func (b *Builder) transport() http.RoundTripper {
	t := remote.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = cmp.Or(b.Idle, 2*time.Minute)
	return guard{t}
}

// guard refuses plain HTTP to any other machine, also after a redirect.
type guard struct{ next http.RoundTripper }

func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !loopback(r.URL.Hostname()) {
		return nil, fmt.Errorf("%s does not use HTTPS: only a registry on this machine may use plain HTTP", r.URL.Host)
	}
	return g.next.RoundTrip(r)
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// RegistryError is an error of a request to a registry. Its text is one line and contains no signed address.
type RegistryError struct {
	Doing string // "pushing NAME"
	Err   error
}

func (e *RegistryError) Unwrap() error { return e.Err }

func (e *RegistryError) Error() string {
	text := e.Doing + ": " + list.OneLine(withoutQueries(e.Err.Error()))
	if status, ok := errors.AsType[*transport.Error](e.Err); ok {
		switch status.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			text += " (not logged in, or not allowed: the CDK CLI logs in by itself; by hand: aws ecr get-login-password | " +
				"cdk-docker login --username AWS --password-stdin HOST)"
		case http.StatusNotFound:
			text += " (no such repository or image: is the name right, is the account bootstrapped?)"
		}
	}
	return text
}

var query = regexp.MustCompile(`(https?://[^\s?"]+)\?[^\s"]*[^\s":]`)

// withoutQueries removes the queries from addresses. Anyone who has the query of an upload's address could continue the
// upload.
func withoutQueries(s string) string { return query.ReplaceAllString(s, "$1") }

// lifetime is how long a login is kept.
// See https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html.
const lifetime = 12 * time.Hour

// Login keeps a name and password for a registry for twelve hours, as long as an ECR authorization token is valid, in a
// file that only the user can read. It does not change Docker's own file. The address may have a scheme and a path.
func (s *Store) Login(address, username, password string) error {
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://"), "/")
	registry, err := name.NewRegistry(host)
	if err == nil {
		text, _ := json.Marshal(authn.AuthConfig{Username: username, Password: password}) // two strings: no error
		err = archive.ReplaceFile(s.login(registry), 0o600, text)
	}
	if err != nil {
		return fmt.Errorf("keeping a login: %w", err)
	}
	return nil
}

func (s *Store) login(r authn.Resource) string { return filepath.Join(s.logins(), r.RegistryStr()) }

// Resolve returns the login for a registry, or authn.Anonymous if there is none: then authn.NewMultiKeychain asks the
// next keychain.
func (s *Store) Resolve(r authn.Resource) (authn.Authenticator, error) {
	_ = archive.Sweep(s.logins(), lifetime) // if this fails, the registry refuses the old login
	text, err := os.ReadFile(s.login(r))
	if errors.Is(err, fs.ErrNotExist) {
		return authn.Anonymous, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a login: %w", err)
	}
	var login authn.AuthConfig
	if err := json.Unmarshal(text, &login); err != nil { // not wrapped, because it can quote the password
		return nil, fmt.Errorf("reading a login: %s is not JSON: log in again", s.login(r))
	}
	return authn.FromConfig(login), nil
}

// clients lists the programs that CDK_DOCKER can name, in the order of preference. Each has a command that prints a
// version, and that fails if the program cannot build an image now. docker is the default of the CDK CLI.
var clients = [][]string{
	{"docker", "version", "--format", "{{.Server.Version}}"},
	{"podman", "info", "--format", "{{.Version.Version}}"},
	{"finch", "info", "--format", "{{.ServerVersion}}"},
}

// Client returns the first of docker, podman and finch that works, and its version; "" if none does.
func Client(ctx context.Context) (name, version string) {
	for _, question := range clients {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		cmd := exec.CommandContext(ctx, question[0], question[1:]...)
		cmd.WaitDelay = time.Second
		answer, err := cmd.Output()
		cancel()
		if err == nil {
			return question[0], strings.TrimSpace(string(answer))
		}
	}
	return "", ""
}
