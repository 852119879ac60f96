package builder

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/twinstart/twinstart/packages/archive"
)

// anonymousHost allows everyone to pull, but refuses an expired login, so no login is sent to it.
const anonymousHost = "public.ecr.aws"

// parallel is the number of layers that are moved at the same time.
const parallel = 4

// remoteOptions returns the options for requests to a registry.
func (b *Builder) remoteOptions(ctx context.Context, r name.Registry) []remote.Option {
	keychain := b.Keychain
	if keychain == nil || r.RegistryStr() == anonymousHost {
		keychain = authn.NewMultiKeychain()
	}
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithAuthFromKeychain(keychain),
		remote.WithTransport(b.transport()),
		remote.WithRetryBackoff(cmp.Or(b.Retry, DefaultRetry)),
		remote.WithRetryPredicate(transient),
		remote.WithJobs(parallel),
		remote.WithUserAgent("twinstart"),
	}
}

// transport closes connections on which no bytes move, so that a silent registry causes an error or a retry. It
// sends nothing unencrypted to another machine.
func (b *Builder) transport() http.RoundTripper {
	idle := cmp.Or(b.Idle, 2*time.Minute)
	t := remote.DefaultTransport.(*http.Transport).Clone()
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watched{conn, idle}, nil
	}
	t.ResponseHeaderTimeout = idle
	return guard{t}
}

// watched is a connection that is closed if no bytes move on it.
type watched struct {
	net.Conn
	idle time.Duration
}

func (w *watched) Read(p []byte) (int, error)  { return w.move(w.Conn.Read, p) }
func (w *watched) Write(p []byte) (int, error) { return w.move(w.Conn.Write, p) }

func (w *watched) move(by func([]byte) (int, error), p []byte) (int, error) {
	if err := w.SetDeadline(time.Now().Add(w.idle)); err != nil {
		return 0, err
	}
	return by(p)
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

// transient reports whether an error may go away if the request is repeated.
func transient(err error) bool {
	var enough *tried
	if err == nil || errors.As(err, &enough) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	for _, passing := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed} {
		if errors.Is(err, passing) {
			return true
		}
	}
	if status, ok := errors.AsType[*transport.Error](err); ok {
		return status.Temporary()
	}
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// tried is an error after which there are no more attempts.
type tried struct{ error }

func (t *tried) Unwrap() error { return t.error }

// retry repeats f after network errors, and notes each repetition.
func (b *Builder) retry(ctx context.Context, what string, f func() error) error {
	backoff := cmp.Or(b.Retry, DefaultRetry)
	for {
		err := f()
		if err == nil || !transient(err) || backoff.Steps <= 1 {
			return err
		}
		wait := backoff.Step()
		b.note(fmt.Sprintf("%s: %s: trying again in %s", what, oneLine(withoutQueries(err.Error())), wait.Round(100*time.Millisecond)))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// RegistryError is an error of a request to a registry. Its text is one line and contains no signed address.
type RegistryError struct {
	Doing string // "pushing NAME"
	Err   error
}

func (e *RegistryError) Unwrap() error { return e.Err }

func (e *RegistryError) Error() string {
	text := e.Doing + ": " + oneLine(withoutQueries(e.Err.Error()))
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

// withoutQueries removes the queries from addresses: with the query of an upload's address anyone could continue
// the upload.
func withoutQueries(s string) string { return query.ReplaceAllString(s, "$1") }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Credentials are the logins in a store. They are in a file that only the user can read, and Docker's own file is
// not touched. They are valid for twelve hours, like an ECR authorization token, and the next login after that
// removes them.
type Credentials struct{ store *Store }

// Credentials returns the credentials of a store. They are an authn.Keychain.
func (s *Store) Credentials() Credentials { return Credentials{s} }

// lifetime is how long a login is kept.
// See https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html.
const lifetime = 12 * time.Hour

type login struct {
	Username string    `json:"username"`
	Password string    `json:"password"`
	Expires  time.Time `json:"expires"`
}

// Login stores a name and password for a registry, by the registry's host and port.
func (c Credentials) Login(host, username, password string) error {
	unlock, err := c.store.lock("credentials")
	if err != nil {
		return err
	}
	defer unlock()
	all, err := c.read()
	if err != nil {
		return err
	}
	maps.DeleteFunc(all, func(_ string, l login) bool { return time.Now().After(l.Expires) })
	all[hostOf(host)] = login{username, password, time.Now().Add(lifetime).UTC().Truncate(time.Second)}
	text, err := json.MarshalIndent(all, "", "  ") //nolint:gosec // passwords are what this file is for; nobody else can read it
	if err != nil {
		return err
	}
	if err := archive.ReplaceFile(c.file(), 0o600, text); err != nil {
		return fmt.Errorf("keeping credentials: %w", err)
	}
	return nil
}

// Resolve returns the login for a registry, or authn.Anonymous. With Anonymous, a keychain of several asks the next
// one.
func (c Credentials) Resolve(r authn.Resource) (authn.Authenticator, error) {
	all, err := c.read()
	if err != nil {
		return nil, err
	}
	l, found := all[r.RegistryStr()]
	if !found || time.Now().After(l.Expires) {
		return authn.Anonymous, nil
	}
	return &authn.Basic{Username: l.Username, Password: l.Password}, nil
}

func (c Credentials) file() string { return filepath.Join(c.store.dir, "credentials.json") }

func (c Credentials) read() (map[string]login, error) {
	text, err := os.ReadFile(c.file())
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]login{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading credentials: %w", err)
	}
	all := map[string]login{}
	if err := json.Unmarshal(text, &all); err != nil || all == nil {
		// The text of a JSON error can quote the file's content, so it is left out.
		return nil, fmt.Errorf("reading credentials: %s is not JSON: remove it and log in again", c.file())
	}
	return all, nil
}

// hostOf returns the host in an address as docker login accepts it: with or without a scheme and a path.
func hostOf(s string) string {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
	host, _, _ := strings.Cut(s, "/")
	if host == "docker.io" || host == "" {
		return "index.docker.io"
	}
	return host
}
