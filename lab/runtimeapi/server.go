// Package runtimeapi is the server side of the Lambda Runtime API, version 2018-06-01: one server per execution
// environment. See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
//
// The server knows the protocol and its states. The lab reads Events and decides whether INIT is over, the invocation
// is over, or the environment is broken. Sizes are bytes.
package runtimeapi

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"

	"golang.org/x/net/netutil"
)

// MaxConnections is the most connections of one environment to one server at the same time. Further connections
// wait, so that a function cannot use up the lab's descriptors.
const MaxConnections = 256

// Server serves one execution environment.
type Server struct {
	listener *net.TCPListener
	http     *http.Server
	mux      http.ServeMux
	events   chan Event
	deliver  chan Delivery
	restores chan struct{}
	closed   chan struct{}
	once     sync.Once
	open     sync.WaitGroup // counts open connections
	pause    chan struct{}  // the listener sends when it has paused, and receives when it may go on

	mu        sync.Mutex
	conns     map[net.Conn]bool
	calls     []string
	state     state
	requestID string // request ID of the current invocation
	nonce     string // Invocation-Id of the current invocation

	function   Function
	external   []string
	extensions map[string]*extension // by identifier
}

// Listen starts a server on a free port of the loopback interface.
func Listen() (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a Runtime API server: %w", err)
	}
	return Serve(listener), nil
}

// Serve starts a server on a TCP listener. Close closes the listener.
func Serve(listener net.Listener) *Server {
	s := &Server{
		listener: listener.(*net.TCPListener),
		events:   make(chan Event, 16), // the lab reads often enough that only a handful can queue up
		deliver:  make(chan Delivery),
		restores: make(chan struct{}, 1),
		closed:   make(chan struct{}),
		pause:    make(chan struct{}),
		conns:    map[net.Conn]bool{},
	}
	s.http = &http.Server{ //nolint:gosec // no time-outs: a bootstrap takes as long as the function may
		Handler:     s.routes(),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ConnState:   s.track,
		ErrorLog:    log.New(io.Discard, "", 0), // if a bootstrap breaks off, the lab sees its exit
	}
	go s.http.Serve(acceptor{netutil.LimitListener(listener, MaxConnections), s}) //nolint:errcheck // until Close
	return s
}

// Address is the value of AWS_LAMBDA_RUNTIME_API: host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Events returns the bootstrap's calls in the order of their arrival.
func (s *Server) Events() <-chan Event { return s.events }

// Deliveries returns the channel for the invocation that answers the current or next GET /next. If the bootstrap
// has ended, nothing receives from the channel, so a sender must watch for that too.
func (s *Server) Deliveries() chan<- Delivery { return s.deliver }

// Restore lets the current or next GET /restore/next answer.
func (s *Server) Restore() {
	if len(s.restores) == 0 {
		s.restores <- struct{}{}
	}
}

// CredentialsPath is the path of the keys of a function with SnapStart. Keys in environment variables would become part
// of the snapshot. AWS's own emulator uses this path.
const CredentialsPath = "/2021-04-23/credentials" //nolint:gosec // a path

// SnapStart adds the paths that only an environment with SnapStart has: GET /restore/next, which ends INIT, and the
// keys, for callers that send authorization.
func (s *Server) SnapStart(authorization string, keys []byte) {
	s.mux.HandleFunc("GET "+prefix+"/restore/next", s.restoreNext)
	s.mux.HandleFunc("POST "+prefix+"/restore/error", s.fatal(restored))
	s.mux.HandleFunc("GET "+CredentialsPath, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != authorization {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(keys)
	})
}

// Close ends the server and every connection.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.closed)
		s.http.Close()
	})
}

func (s *Server) emit(e Event) {
	select {
	case s.events <- e:
	case <-s.closed:
	}
}
