package runtimeapi

import (
	"context"
	"net"
	"net/http"
	"slices"
	"time"
)

// track keeps the set of open connections. The server calls it before it accepts another connection.
func (s *Server) track(conn net.Conn, is http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch is {
	case http.StateNew:
		s.conns[conn] = true
		s.open.Add(1)
	case http.StateClosed:
		delete(s.conns, conn)
		s.open.Done()
	}
}

// settle is the time after which all connections of an ended bootstrap have been accepted.
const settle = 5 * time.Millisecond

// maxCalls is how many requests Calls returns at most.
const maxCalls = 100

// Calls returns the first requests since the start or since Reset, also unknown ones. An element is, for example,
// "GET /2018-06-01/runtime/invocation/next".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Reset prepares the server for another bootstrap in the same execution environment. The previous bootstrap must have
// ended. Reset closes its connections, so that no late call of it counts as a call of the new bootstrap. First, all of
// them must be accepted. Connections are accepted in order, so Reset makes one itself and waits for its answer. If the
// environment has its own network, Reset cannot connect to it, and waits for settle instead.
func (s *Server) Reset() {
	if s.reachable {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		ours, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Address(), nil)
		if answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(ours); err == nil {
			answer.Body.Close()
		}
	} else {
		time.Sleep(settle)
	}
	s.mu.Lock()
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.open.Wait()
		close(ended)
	}()
	for running := true; running || len(s.events) > 0; {
		select {
		case <-s.events:
		case <-ended:
			running, ended = false, nil
		}
	}
	s.mu.Lock()
	s.state, s.requestID, s.nonce, s.calls, s.extensions = initialising, "", "", nil, nil
	s.mu.Unlock()
}
