//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// limit is how long one request may take.
const limit = 10 * time.Second

// event is what every candidate gets. Ours write it back.
const event = `{"version":"2.0","routeKey":"$default","rawPath":"/hello","headers":{"accept":"application/json"},"requestContext":{"stage":"$default"},"body":"hi"}`

// sample is one cold start and the calls after it.
type sample struct {
	init, first float64   // ms from exec to the first GET /next, and to the first response
	warm        []float64 // ms from an event to its response
	perSecond   float64   // of the warm invocations, one after another
	rssKiB      float64   // of all processes, after the last
}

// phase is what a session may look at on its way.
type phase struct {
	ready    func() error // the first GET /next has arrived and no event has left
	finished func(pid int)
}

// session starts a candidate, sends it one event and then calls more, and kills it.
func session(c *candidate, calls int, start func(c *candidate, address string) (*process, error), p phase) (s sample, err error) {
	api, err := listen()
	if err != nil {
		return s, err
	}
	defer api.close()
	child, err := start(c, api.address)
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
	next, err := expect(api, "GET", "/invocation/next")
	if err != nil {
		return s, err
	}
	s.init = ms(next.at.Sub(child.started))
	if p.ready != nil {
		if err := p.ready(); err != nil {
			return s, err
		}
	}
	var began time.Time
	for call := range calls + 1 {
		id := newID()
		text := answerToNext(id)
		sent := time.Now()
		switch call {
		case 0:
			s.first = -ms(sent.Sub(next.at)) // what ready took is nobody's
		case 1:
			began = sent
		}
		if err := api.answer(next, text); err != nil {
			return s, err
		}
		response, err := expect(api, "POST", "/invocation/"+id+"/response")
		if err != nil {
			return s, err
		}
		if c.echoes && string(response.body) != event {
			return s, fmt.Errorf("%s answered %q instead of its event", c.name, response.body[:min(200, len(response.body))])
		}
		if call == 0 {
			s.first += ms(response.at.Sub(child.started))
		} else {
			s.warm = append(s.warm, ms(response.at.Sub(sent)))
		}
		if err := api.answer(response, accepted(response.last)); err != nil {
			return s, err
		}
		if next, err = expect(api, "GET", "/invocation/next"); err != nil {
			return s, err
		}
	}
	if calls > 0 {
		s.perSecond = float64(calls) / next.at.Sub(began).Seconds()
	}
	s.rssKiB = rss(child.pid)
	return s, nil
}

// expect is the next request, which has to be this one.
func expect(s *server, method, path string) (*request, error) {
	r, err := s.wait(time.Now().Add(limit))
	if err != nil {
		return nil, fmt.Errorf("waiting for %s %s: %w", method, path, err)
	}
	if r.method != method || strings.TrimPrefix(r.path, "/2018-06-01/runtime") != path {
		return nil, fmt.Errorf("got %s %s instead of %s %s: %s", r.method, r.path, method, path, bytes.TrimSpace(r.body[:min(300, len(r.body))]))
	}
	return r, nil
}

func newID() string { return api.NewID() }

func answerToNext(id string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: %s\r\nLambda-Runtime-Deadline-Ms: %d\r\n"+
		"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:bench\r\n"+
		"Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n"+
		"Date: Sat, 21 Nov 2026 09:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s", id, time.Now().Add(limit).UnixMilli(), len(event), event)
}

func accepted(last bool) string {
	connection := ""
	if last {
		connection = "Connection: close\r\n"
	}
	return "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\n" + connection +
		"Content-Length: 16\r\n\r\n{\"status\":\"OK\"}\n"
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// tailOf is the end of what a candidate wrote to its log, for an error.
func tailOf(log *os.File) string {
	text, err := os.ReadFile(log.Name())
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return ""
	}
	text = bytes.TrimSpace(text)
	return "; it wrote: " + strings.ReplaceAll(string(text[max(0, len(text)-400):]), "\n", " | ")
}
