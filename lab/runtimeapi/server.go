// Package runtimeapi is the server side of the Lambda Runtime API, version 2018-06-01, one server per execution environment.
// See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
//
// The server knows the protocol and its states; what an arrival means (INIT is over, the invocation is over, the environment
// is broken) is for the lab to decide, which reads Events.
package runtimeapi

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// MaxResponse is the largest response a buffered invocation may have, in bytes: 6 MB and a little for the envelope, as on AWS.
const MaxResponse = 6<<20 + 100

// MaxConnections are those of one environment at a time to one server; more wait, so that a function cannot use up the lab's descriptors.
const MaxConnections = 256

// Kind says what a bootstrap did.
type Kind int

// What a bootstrap can do.
const (
	Next      Kind = iota // asked for the next event
	Response              // answered the current invocation
	Failure               // reported that the current invocation failed
	InitError             // reported that its initialisation failed
	TooLarge              // answered with more than MaxResponse bytes and was refused
)

// Event is one call of a bootstrap, after it was found valid.
type Event struct {
	Kind      Kind
	At        time.Time // when the first byte of the request arrived
	RequestID string    // Response and Failure
	Body      []byte
	ErrorType string // Lambda-Runtime-Function-Error-Type, for Failure and InitError
}

// Invocation is what the next GET /next is answered with.
type Invocation struct {
	RequestID     string
	Deadline      time.Time
	ARN           string
	TraceID       string
	ClientContext string // JSON, "" for none
	Payload       []byte
}

// Server serves one execution environment.
type Server struct {
	listener net.Listener
	http     *http.Server
	events   chan Event
	deliver  chan Delivery
	closed   chan struct{}
	once     sync.Once
	open     sync.WaitGroup // connections
	// reachable from this process's own network
	reachable bool

	mu        sync.Mutex
	conns     map[net.Conn]bool
	calls     []string
	state     state
	requestID string // of the current invocation
	nonce     string // its Invocation-Id
}

// Delivery is an invocation, and where to say when its answer is about to be written.
type Delivery struct {
	Invocation
	At chan<- time.Time // with room for one
}

// Listen starts a server on a free port of the loopback interface.
func Listen() (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a Runtime API server: %w", err)
	}
	s := Serve(listener)
	s.reachable = true
	return s, nil
}

// Serve starts a server on a listener, which it closes in the end.
func Serve(listener net.Listener) *Server {
	s := &Server{
		listener: listener,
		events:   make(chan Event, 16), // the lab reads often enough that only a handful can queue up
		deliver:  make(chan Delivery),
		closed:   make(chan struct{}),
		conns:    map[net.Conn]bool{},
	}
	s.http = &http.Server{ //nolint:gosec // no time-outs: a bootstrap takes as long as the function may
		Handler:     s.routes(),
		ConnContext: stamped,
		ConnState:   s.track,
		ErrorLog:    log.New(discard{}, "", 0), // a bootstrap that breaks off is the lab's business, seen by its exit
	}
	go s.http.Serve(stampingListener{netutil.LimitListener(listener, MaxConnections)}) //nolint:errcheck // ends with Close
	return s
}

// Address is the value of AWS_LAMBDA_RUNTIME_API: host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Events are the bootstrap's calls, in the order of their arrival.
func (s *Server) Events() <-chan Event { return s.events }

// Deliveries takes what the waiting GET /next, or the next one to come, is answered with. If the bootstrap has ended nobody takes it:
// whoever sends looks at that too.
func (s *Server) Deliveries() chan<- Delivery { return s.deliver }

// Deliver answers the waiting GET /next, or the next one to come, and returns when the answer is about to be written.
func (s *Server) Deliver(ctx context.Context, in Invocation) (time.Time, error) {
	delivered := make(chan time.Time, 1)
	select {
	case s.deliver <- Delivery{in, delivered}:
		return <-delivered, nil
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	case <-s.closed:
		return time.Time{}, net.ErrClosed
	}
}

// track knows the open connections. The server calls it before it accepts another one.
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

// settle is how long the connections of a bootstrap that has ended get to be accepted.
const settle = 5 * time.Millisecond

// maxCalls bounds Calls.
const maxCalls = 100

// Calls are the requests since the start or Reset, known to the protocol or not: "GET /2018-06-01/runtime/invocation/next".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Reset forgets the bootstrap served so far, which has ended: another one is started in the same execution environment. Calls that the
// old one had on their way are not taken for the new one's: its connections are closed. A connection is served after all that came before
// it, so once the server has answered one of our own, it has all of the bootstrap's; in another network they are waited for.
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
	s.state, s.requestID, s.nonce, s.calls = initialising, "", "", nil
	s.mu.Unlock()
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

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
