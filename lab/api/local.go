package api

import (
	"io"
	"net"
	"net/http"
	"time"
)

// patience is how long a client may take over a request's header, and over its body.
const patience = 30 * time.Second

// NewServer returns a server of the API. Nothing bounds how long an answer takes: an invocation takes as long as its function may.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: patience, IdleTimeout: 5 * time.Minute}
}

// local refuses what no program of this machine sends. Any web page that is open in a browser here can send requests to loopback, and read
// the answers if its own name is made to resolve to 127.0.0.1; such a request names another host, or the page in Origin.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" || !isLoopback(r.Host) {
			Fail(w, &Error{Status: http.StatusForbidden, Code: "AccessDeniedException",
				Message: "the lab answers programs of this machine only: call it by 127.0.0.1, [::1] or localhost, and not from a web page; Host was " + r.Host + ", Origin " + origin})
			return
		}
		if r.Body != http.NoBody {
			deadline := http.NewResponseController(w)
			if deadline.SetReadDeadline(time.Now().Add(patience)) == nil {
				r.Body = &timed{r.Body, func() { _ = deadline.SetReadDeadline(time.Time{}) }}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// timed is a body with a deadline, which must be gone before the function runs: it would end the invocation.
type timed struct {
	io.ReadCloser
	read func()
}

func (t *timed) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		t.read()
	}
	return n, err
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
