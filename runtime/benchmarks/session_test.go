//go:build linux

package benchmarks

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/runtime/conformance"
)

// limit is how long a candidate may be silent. After that it counts as broken.
var limit = 10 * time.Second

// event is sent to every candidate. Our bootstraps send it back.
const event = `{"version":"2.0","routeKey":"$default","rawPath":"/hello","headers":{"accept":"application/json"},"requestContext":{"stage":"$default"},"body":"hi"}`

// sample is one cold start and the calls after it.
type sample struct {
	init, first float64   // ms from exec to the first GET /next, and to the first response
	warm        []float64 // ms from an event to its response
	perSecond   float64   // warm invocations per second, one after another
	rssKiB      float64   // of all processes, after the last
}

// phase has functions that a session calls on its way.
type phase struct {
	ready    func() error  // called when the first GET /next has arrived and no event has left
	finished func(pid int) // called before the candidate is killed
}

// session starts a candidate, sends it one event and then as many more as calls says, and kills it.
func session(c *candidate, calls int, start func(c *candidate, address string) (*process, error), p phase) (s sample, err error) {
	events := make([]conformance.Event, 1+calls)
	for i := range events {
		events[i] = conformance.Event{ID: api.NewID(), Body: event, Header: map[string]string{"Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"}}
	}
	var notReady error
	if p.ready != nil {
		events[0].After = func() { notReady = p.ready() }
	}
	api, err := conformance.Listen(events...)
	if err != nil {
		return s, err
	}
	defer api.Close()
	child, err := start(c, api.Address())
	if err != nil {
		return s, err
	}
	defer func() {
		if p.finished != nil {
			p.finished(child.pid)
		}
		if ended := child.end(); err != nil {
			err = fmt.Errorf("%w%s", err, ended)
		}
	}()
	var requests []conformance.Request
	for heard, goesOn := 0, true; goesOn; heard = len(requests) {
		select {
		case <-api.Idle():
			goesOn, s.rssKiB = false, rss(child.pid)
		case <-time.After(limit):
		}
		requests = api.Requests()
		goesOn = goesOn && len(requests) > heard
	}
	if err := errors.Join(asked(c, events, requests), notReady); err != nil {
		return s, err
	}
	s.init = ms(requests[0].At.Sub(child.started))
	for i, e := range events {
		took := requests[2*i+1].At.Sub(api.Sent(e.ID))
		if i > 0 {
			s.warm = append(s.warm, ms(took))
			continue
		}
		s.first = s.init + ms(took) // without the time that ready took
	}
	if calls > 0 {
		s.perSecond = float64(calls) / requests[len(requests)-1].At.Sub(api.Sent(events[1].ID)).Seconds()
	}
	return s, nil
}

// asked returns an error if a candidate's requests differ from GET /next, a response, GET /next and so on.
func asked(c *candidate, events []conformance.Event, requests []conformance.Request) error {
	method, path := "GET", "/invocation/next"
	for i, r := range requests {
		if r.Method != method || r.Path != path {
			return fmt.Errorf("got %s %s instead of %s %s: %s", r.Method, r.Path, method, path, bytes.TrimSpace(r.Body[:min(300, len(r.Body))]))
		}
		if i%2 == 1 && c.echoes && string(r.Body) != event {
			return fmt.Errorf("%s answered %q instead of its event", c.name, r.Body[:min(200, len(r.Body))])
		}
		if method, path = "GET", "/invocation/next"; i%2 == 0 && i/2 < len(events) {
			method, path = "POST", "/invocation/"+events[i/2].ID+"/response"
		}
	}
	if len(requests) <= 2*len(events) {
		return fmt.Errorf("waiting for %s %s: no request in time", method, path)
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// tailOf returns the end of what a candidate wrote to its log, for an error.
func tailOf(log *os.File) string {
	text, err := os.ReadFile(log.Name())
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return ""
	}
	text = bytes.TrimSpace(text)
	return "; it wrote: " + strings.ReplaceAll(string(text[max(0, len(text)-400):]), "\n", " | ")
}
