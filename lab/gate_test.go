package lab_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab"
)

// gate is a service outside of the lab. It holds each invocation that calls it until open is called.
type gate struct {
	door lab.Door
	held chan struct{} // receives once for each held invocation
	open func()
}

func newGate(t *testing.T) *gate {
	t.Helper()
	opened := make(chan struct{})
	g := &gate{held: make(chan struct{}, 10), open: sync.OnceFunc(func() { close(opened) })}
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.held <- struct{}{}
		select {
		case <-opened:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(service.Close)
	to, err := url.Parse(service.URL)
	must(t, err)
	g.door = lab.Door{Name: "gate", URL: to}
	return g
}

// options returns the options of a lab whose functions can call the gate.
func (g *gate) options() lab.Options { return lab.Options{Allow: []lab.Door{g.door}} }

// await waits until so many more invocations are held.
func (g *gate) await(t *testing.T, invocations int) {
	t.Helper()
	for range invocations {
		select {
		case <-g.held:
		case <-time.After(time.Minute):
			t.Fatal("no invocation called the gate within a minute")
		}
	}
}
