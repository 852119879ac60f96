package runtimeapi

import (
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// acceptor notes when the first bytes of each request were read. INIT ends at that time, and not when the request's
// handler runs: before the handler runs, net/http parses the request and starts goroutines.
type acceptor struct {
	net.Listener
	server *Server
}

// Accept pauses while Reset has set a deadline.
func (a acceptor) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	for errors.Is(err, os.ErrDeadlineExceeded) {
		select {
		case a.server.pause <- struct{}{}:
			<-a.server.pause
		case <-a.server.closed:
		}
		conn, err = a.Listener.Accept()
	}
	if err != nil {
		return nil, err
	}
	return &stampedConn{Conn: conn}, nil
}

type stampedConn struct {
	net.Conn
	first atomic.Pointer[time.Time] // when the first bytes of the current request were read
}

func (c *stampedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.first.Load() == nil {
		c.first.CompareAndSwap(nil, new(time.Now()))
	}
	return n, err
}

type connKey struct{}

// arrival returns the time when r began to arrive. A handler may call it once.
func arrival(r *http.Request) time.Time {
	if c, ok := r.Context().Value(connKey{}).(*stampedConn); ok {
		if at := c.first.Swap(nil); at != nil {
			return *at
		}
	}
	return time.Now()
}

// done ends a request: what the connection reads from now on belongs to the next one.
func done(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*stampedConn); ok {
		c.first.Store(nil)
	}
}
