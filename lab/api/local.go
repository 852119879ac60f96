package api

import (
	"io"
	"net"
	"net/http"
	"time"
)

// patience is the time that a client has to send a request's header, and again to send its body.
const patience = 30 * time.Second

// NewServer returns a server of the API. It has no time limit for answers, because an invocation takes as long as
// its function.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: patience, IdleTimeout: 5 * time.Minute}
}

// local refuses requests that no program of this machine would send. Any web page in a browser on this machine can
// send requests to loopback, and can read the answers if its own name resolves to 127.0.0.1. Such a request names
// another host in Host, or the page in Origin.
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

// timed is a body with a read deadline. The deadline must be removed before the function runs, or it would end the
// invocation.
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
