package runtimeapi

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// The end of INIT is the arrival of a request, not the moment its handler gets to run: net/http parses the request and starts
// goroutines in between. So connections note when a request's first bytes were read.

type stampingListener struct{ net.Listener }

func (l stampingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &stampedConn{Conn: conn}, nil
}

type stampedConn struct {
	net.Conn
	first atomic.Pointer[time.Time] // when the request now being read began to arrive
}

func (c *stampedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.first.Load() == nil {
		now := time.Now()
		c.first.CompareAndSwap(nil, &now)
	}
	return n, err
}

type connKey struct{}

func stamped(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// arrival is when r began to arrive. It is taken once per request; the body's reads that follow do not count for the next one.
func arrival(r *http.Request) time.Time {
	if c, ok := r.Context().Value(connKey{}).(*stampedConn); ok {
		if at := c.first.Swap(nil); at != nil {
			return *at
		}
	}
	return time.Now()
}

// done ends a request: what is read from now on belongs to the next.
func done(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*stampedConn); ok {
		c.first.Store(nil)
	}
}
