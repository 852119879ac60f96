// Package runtimeapi is the server side of the Lambda Runtime API, version 2018-06-01: one server per execution
// environment. See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
//
// The server knows the protocol and its states. The lab reads Events and decides what they mean: that INIT is over,
// that the invocation is over, or that the environment is broken.
package runtimeapi

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// MaxResponse is the largest response of a buffered invocation in bytes: 6 MB and some bytes for the envelope, as
// on AWS.
const MaxResponse = 6<<20 + 100

// MaxConnections is the most connections of one environment to one server at the same time. Further connections
// wait, so that a function cannot use up the lab's descriptors.
const MaxConnections = 256

// Kind says what a bootstrap did.
type Kind int

// What a bootstrap can do.
const (
	Next      Kind = iota // asked for the next event
	Response              // answered the current invocation
	Failure               // reported that the current invocation failed
	InitError             // reported that its initialisation failed, or what it does after a restore
	TooLarge              // answered with more than MaxResponse bytes and was refused
	Extension             // an extension registered, or asked for its next event
	Restore               // its INIT is over, and a snapshot of it may be made (SnapStart)
)

// Event is one valid call of a bootstrap.
type Event struct {
	Kind      Kind
	At        time.Time // when the first byte of the request arrived
	RequestID string    // for Response and Failure
	Body      []byte
	ErrorType string // Lambda-Runtime-Function-Error-Type, for Failure and InitError
}

// Invocation is the answer to the next GET /next.
type Invocation struct {
	RequestID     string
	Deadline      time.Time
	ARN           string
	TraceID       string
	ClientContext string // JSON; "" if there is none
	Payload       []byte
}

// Server serves one execution environment.
type Server struct {
	listener net.Listener
	http     *http.Server
	mux      http.ServeMux
	events   chan Event
	deliver  chan Delivery
	restores chan struct{}
	closed   chan struct{}
	once     sync.Once
	open     sync.WaitGroup // counts open connections
	// reachable says whether this process can connect to the listener.
	reachable bool

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

// Delivery is an invocation, and a channel that receives the time when its answer is about to be written.
type Delivery struct {
	Invocation
	At chan<- time.Time // must have room for one value
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

// Serve starts a server on a listener. Close closes the listener.
func Serve(listener net.Listener) *Server {
	s := &Server{
		listener: listener,
		events:   make(chan Event, 16), // the lab reads often enough that only a handful can queue up
		deliver:  make(chan Delivery),
		restores: make(chan struct{}, 1),
		closed:   make(chan struct{}),
		conns:    map[net.Conn]bool{},
	}
	s.http = &http.Server{ //nolint:gosec // no time-outs: a bootstrap takes as long as the function may
		Handler:     s.routes(),
		ConnContext: stamped,
		ConnState:   s.track,
		ErrorLog:    log.New(io.Discard, "", 0), // the lab notices a bootstrap that breaks off by its exit
	}
	go s.http.Serve(stampingListener{netutil.LimitListener(listener, MaxConnections)}) //nolint:errcheck // ends with Close
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
	select {
	case s.restores <- struct{}{}:
	default:
	}
}

// CredentialsPath is where a function with SnapStart finds its keys: as variables they would be in the snapshot. The
// path is that of AWS's own emulator.
const CredentialsPath = "/2021-04-23/credentials" //nolint:gosec // a path

// SnapStart makes the environment one whose INIT ends with GET /restore/next, and which finds keys if it sends
// authorization. Without it the API has no such paths.
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

// Deliver answers the current or next GET /next. It returns when the answer is about to be written.
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

// settle is how long to wait until connections of a bootstrap that has ended are accepted.
const settle = 5 * time.Millisecond

// maxCalls is the largest length of Calls.
const maxCalls = 100

// Calls returns all requests since the start or since Reset, even unknown ones: "GET
// /2018-06-01/runtime/invocation/next".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Reset prepares the server for another bootstrap in the same execution environment; the previous one must have
// ended. It closes the previous one's connections, so that a late call does not count as the new one's. Connections
// are accepted in order: when the server has answered a connection that Reset makes, it has accepted all of the old
// bootstrap's. If the environment has its own network, Reset cannot connect and waits for settle instead.
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

// state says what a bootstrap may do next.
type state int

const (
	initialising state = iota // GET next or POST init/error
	ready                     // waits in GET next; another GET next means that the connection was lost
	invoking                  // POST response or error
	refused                   // the response was too large: POST error or GET next
	answered                  // GET next
	held                      // waits in GET restore/next
	restored                  // GET next or POST restore/error
	broken                    // the bootstrap has reported an error of INIT or of a restore and should exit
)

// enter changes the state to `to` if the current state is in from. It reports whether it did.
func (s *Server) enter(to state, from ...state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(from, s.state) {
		return false
	}
	s.state = to
	return true
}

func (s *Server) begin(in Invocation, nonce string) {
	s.mu.Lock()
	s.state, s.requestID, s.nonce = invoking, in.RequestID, nonce
	if len(s.extensions) > 0 {
		event := invokeEvent{EventType: "INVOKE", DeadlineMs: in.Deadline.UnixMilli(), RequestID: in.RequestID, ARN: in.ARN}
		event.Tracing.Type, event.Tracing.Value = "X-Amzn-Trace-Id", in.TraceID
		s.tell(event.EventType, event)
	}
	s.mu.Unlock()
}
