package measure

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// server is Lambda's API over real HTTP. Its functions take 0.5 ms, and 1.25 ms of INIT before that if they are cold.
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
		mu.Unlock()                                                                      // other invocations run meanwhile, as in Lambda
		time.Sleep(time.Duration((a.InitMs + a.DurationMs) * float64(time.Millisecond))) // a call shorter than its INIT would be marked
		mu.Lock()
		inside[r.Name] = false
		return a
	}
	s.Server = httptest.NewServer(s.Lambda)
	t.Cleanup(s.Close)
	return s
}
