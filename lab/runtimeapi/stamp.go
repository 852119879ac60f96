package runtimeapi

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// INIT ends when a request arrives, not when its handler runs: in between net/http parses the request and starts
// goroutines. So each connection notes when the first bytes of a request were read.

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
	first atomic.Pointer[time.Time] // time when the first bytes of the current request were read
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

// arrival returns the time when r began to arrive. It may be called once per request; later reads of the body do
// not count for the next request.
func arrival(r *http.Request) time.Time {
	if c, ok := r.Context().Value(connKey{}).(*stampedConn); ok {
		if at := c.first.Swap(nil); at != nil {
			return *at
		}
	}
	return time.Now()
}

// done ends a request. What is read from now on belongs to the next request.
func done(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*stampedConn); ok {
		c.first.Store(nil)
	}
}
