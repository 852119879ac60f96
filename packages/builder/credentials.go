package builder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/twinstart/twinstart/packages/archive"
)

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
	return c.update(func(all map[string]login) {
		maps.DeleteFunc(all, func(_ string, l login) bool { return time.Now().After(l.Expires) })
		all[hostOf(host)] = login{username, password, time.Now().Add(lifetime).UTC().Truncate(time.Second)}
	})
}

// Logout removes the login for a registry.
func (c Credentials) Logout(host string) error {
	return c.update(func(all map[string]login) { delete(all, hostOf(host)) })
}

func (c Credentials) update(change func(map[string]login)) error {
	unlock, err := c.store.lock("credentials")
	if err != nil {
		return err
	}
	defer unlock()
	all, err := c.read()
	if err != nil {
		return err
	}
	change(all)
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
