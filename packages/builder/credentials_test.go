package builder_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/twinstart/twinstart/packages/builder"
)

func resolve(t *testing.T, s *builder.Store, host string) authn.AuthConfig {
	t.Helper()
	registry, err := name.NewRegistry(host)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := s.Resolve(registry)
	if err != nil {
		t.Fatal(err)
	}
	config, err := auth.Authorization()
	if err != nil {
		t.Fatal(err)
	}
	return *config
}

func TestCredentials(t *testing.T) {
	s := newBuilder(t).Store
	for _, host := range []string{"https://1.dkr.ecr.eu-west-1.amazonaws.com/", "127.0.0.1:5000", "docker.io"} {
		if err := s.Login(host, "AWS", "secret of "+host); err != nil {
			t.Fatal(err)
		}
	}
	for host, want := range map[string]string{
		"1.dkr.ecr.eu-west-1.amazonaws.com": "secret of https://1.dkr.ecr.eu-west-1.amazonaws.com/",
		"127.0.0.1:5000":                    "secret of 127.0.0.1:5000", "index.docker.io": "secret of docker.io", "other.example": "",
	} {
		if got := resolve(t, s, host); got.Password != want {
			t.Errorf("%s: password %q: want %q", host, got.Password, want)
		}
	}
	if err := s.Login("not a host", "AWS", "x"); err == nil || !strings.Contains(err.Error(), "not a host") {
		t.Errorf("error %v: want one that names the host", err)
	}
	file := filepath.Join(s.Dir(), "logins", "index.docker.io")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v: want 0600", info.Mode(), err)
	}

	// Expired logins do not count, and are removed.
	then := time.Now().Add(-12*time.Hour - time.Minute)
	if err := os.Chtimes(file, then, then); err != nil {
		t.Fatal(err)
	}
	if got := resolve(t, s, "index.docker.io"); got.Password != "" {
		t.Error("an expired login counts")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("an expired login is kept")
	}

	// The error for a broken file names the file and does not quote it.
	for _, broken := range []string{`["secret"]`, "secret"} {
		if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		registry, err := name.NewRegistry("index.docker.io")
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Resolve(registry)
		if err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "secret") {
			t.Errorf("file %s: error %v", broken, err)
		}
	}
}

// A login must reach the registry. The error for a wrong one says what to do and does not contain it.
func TestPushWithALogin(t *testing.T) {
	host := newRegistry(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != "AWS" || password != "right" {
				w.Header().Set("WWW-Authenticate", `Basic realm="ecr"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	b := newBuilder(t)
	b.Keychain = b.Store
	build(t, b, someApp(t), "linux/arm64", host+"/app:1")
	for _, password := range []string{"wrong", "right"} {
		if err := b.Store.Login(host, "AWS", password); err != nil {
			t.Fatal(err)
		}
		_, err := b.Push(context.Background(), host+"/app:1")
		if password == "right" {
			if err != nil {
				t.Error(err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "not logged in") || strings.Contains(err.Error(), "wrong") {
			t.Errorf("error %v: want one that says what to do", err)
		}
	}
}

type answer struct{}

func (answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200}, nil
}

func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://example.com/v2/": true, "http://127.0.0.1:5000/v2/": true, "http://[::1]:5000/v2/": true, "http://localhost:5000/": true,
		"http://example.com/v2/": false, "http://10.0.0.1:5000/v2/": false, "http://192.168.1.1/v2/": false,
	} {
		request, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := builder.Guarded(answer{}).RoundTrip(request); (err == nil) != ok {
			t.Errorf("%s: error %v", url, err)
		}
	}
}

func TestErrorsHoldNoSignedAddress(t *testing.T) {
	const text = `PUT "https://bucket.s3.amazonaws.com/blob?X-Amz-Signature=abc&b=c": EOF, then https://h/v2/?_state=s: EOF`
	const want = `PUT "https://bucket.s3.amazonaws.com/blob": EOF, then https://h/v2/: EOF`
	if got := builder.WithoutQueries(text); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	err := &builder.RegistryError{Doing: "pushing x", Err: errors.New("a\nb")}
	if err.Error() != "pushing x: a b" {
		t.Errorf("%q is not one line", err)
	}
}
