package measure

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// server is Lambda's API over real HTTP, with functions that take 0.5 ms and, cold, 1.25 ms of INIT.
type server struct {
	*double.Lambda
	*httptest.Server

	invoke func(r double.Run, a *double.Answer)  // changes what an invocation answers
	report func(r double.Run, log string) string // changes the log tail
}

func newServer(t *testing.T, names ...string) *server {
	var all []api.Configuration
	for _, n := range names {
		all = append(all, double.Configuration(n, 128))
	}
	s := &server{Lambda: double.New(all...)}
	var mu sync.Mutex
	inside := map[string]bool{}
	s.Run = func(r double.Run) double.Answer {
		mu.Lock()
		defer mu.Unlock()
		if inside[r.Name] {
			t.Errorf("two invocations of %s at a time", r.Name)
		}
		inside[r.Name] = true
		mu.Unlock() // let others in, as Lambda does
		mu.Lock()
		inside[r.Name] = false
		a := double.Answer{DurationMs: 0.5, UsedMB: 20}
		if r.Cold {
			a.InitMs = 1.25
		}
		if s.invoke != nil {
			s.invoke(r, &a)
		}
		a.Log = a.Lines(r)
		if s.report != nil {
			a.Log = s.report(r, a.Log)
		}
		if r.Cold {
			a.Log += `{"type":"lab.report","record":{"requestId":"` + r.RequestID + `","initReadKiB":620,"initReadChunks":2,"firstResponseReadKiB":628}}` + "\n"
		}
		time.Sleep(time.Duration((a.InitMs + a.DurationMs) * float64(time.Millisecond))) // nobody's INIT is over before the call
		return a
	}
	s.Server = httptest.NewServer(s.Lambda)
	t.Cleanup(s.Close)
	return s
}
