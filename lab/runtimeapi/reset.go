package runtimeapi

import (
	"net"
	"net/http"
	"slices"
	"syscall"
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
// ended. Its late calls do not count as calls of the new bootstrap: Reset pauses the listener, closes all connections,
// also those that wait to be accepted, and waits until their handlers have ended.
func (s *Server) Reset() {
	_ = s.listener.SetDeadline(time.Unix(1, 0)) // fails if the listener is closed
	s.disconnect()                              // with MaxConnections open, the listener would not pause
	select {
	case <-s.pause:
	case <-s.closed:
		return
	}
	raw, _ := s.listener.SyscallConn() // the listener exists
	_ = raw.Control(func(fd uintptr) { // closes the connections that the kernel has made and nobody has accepted
		syscall.ForkLock.RLock() // no child inherits a connection
		defer syscall.ForkLock.RUnlock()
		for conn, _, err := syscall.Accept(int(fd)); err == nil; conn, _, err = syscall.Accept(int(fd)) {
			_ = syscall.Close(conn)
		}
	})
	s.disconnect()
	go func() {
		s.open.Wait()
		s.events <- Event{Kind: ended}
	}()
	for e := <-s.events; e.Kind != ended; e = <-s.events {
	}
	s.mu.Lock()
	s.state, s.requestID, s.nonce, s.calls, s.extensions = initialising, "", "", nil, nil
	s.mu.Unlock()
	_ = s.listener.SetDeadline(time.Time{})
	s.pause <- struct{}{}
}

func (s *Server) disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		conn.Close()
	}
}
