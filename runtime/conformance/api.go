//go:build unix

package conformance

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Event is one invocation: the answer to GET /next, and the answer to its outcome.
type Event struct {
	ID        string            // request id; "" gives "id-1", "id-2" ...
	Body      string            // the event
	Deadline  time.Duration     // counted from the moment when the event is handed out; 0 is one minute
	Header    map[string]string // further Lambda-Runtime-* fields, by their short name: "Trace-Id"
	Wire      Wire              // how GET /next answers
	Qualifier string            // of the function's ARN: ":alias"
	Nonce     string            // Lambda-Runtime-Invocation-Id; "" sends none
	After     func()            // the event is handed out when After returns; if After is nil, at once

	ReplyStatus int  // status of POST /response; 0 is 202
	ErrorStatus int  // status of POST /error; 0 is 202
	Reply       Wire // how POST /response and /error are answered
}

// Request is one request that the API received.
type Request struct {
	Conn   int    // which connection carried it, from 1
	Method string // GET or POST
	Path   string // below prefix or extensionPrefix, such as "/invocation/next" or "/extension/register"
	Header http.Header
	Body   []byte
	At     time.Time // time when its last byte was read

	Refused bool // the event already had an outcome: the answer was 403, as Lambda's is
}

// API is a Runtime API that hands out a list of events. After the last event it does not answer GET /next, like the
// real API between invocations. It registers extensions, but never sends them events.
type API struct {
	listener *net.TCPListener
	done     chan struct{} // closed by Close
	byID     map[string]Event
	idle     chan struct{} // see Idle

	mu       sync.Mutex
	events   []Event
	next     int // index of the event to hand out
	requests []Request
	answered map[string]bool // ids of events whose outcome was accepted
	heard    map[string]bool // ids of events whose outcome has come, accepted or not
	sent     map[string]time.Time
	conns    map[*net.TCPConn]struct{}
	opened   int
	idling   sync.Once
	joining  int // number of extensions that are registered and have not asked for events
	restore  *Restore
}

// Restore is how GET /restore/next is answered.
type Restore struct {
	Status int           // 0 is 200
	After  time.Duration // how long the environment stays a snapshot
	Wire   Wire
}

// Snapshot switches SnapStart on. Without it GET /restore/next answers 404. Call it before the bootstrap starts.
func (a *API) Snapshot(r Restore) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.restore = &r
}

// Prefixes of paths. See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and
// runtimes-extensions-api.html there.
const (
	prefix          = "/2018-06-01/runtime"
	extensionPrefix = "/2020-01-01"
)

// Listen starts an API on a free loopback port. Close ends it.
func Listen(events ...Event) (*API, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("starting a Runtime API: %w", err)
	}
	for i := range events {
		if events[i].ID == "" {
			events[i].ID = fmt.Sprintf("id-%d", i+1)
		}
	}
	a := &API{
		listener: listener, done: make(chan struct{}),
		idle: make(chan struct{}), events: events,
		conns:    map[*net.TCPConn]struct{}{},
		byID:     map[string]Event{},
		answered: map[string]bool{},
		heard:    map[string]bool{},
		sent:     map[string]time.Time{},
	}
	for _, event := range events {
		a.byID[event.ID] = event
	}
	go a.accept()
	return a, nil
}

// Address is the value of AWS_LAMBDA_RUNTIME_API.
func (a *API) Address() string { return a.listener.Addr().String() }

// Idle returns a channel that is closed when every event has its outcome and GET /next is waiting, or two seconds after
// the GET /next that finds no more events.
func (a *API) Idle() <-chan struct{} { return a.idle }

// Requests returns the requests so far.
func (a *API) Requests() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// Sent returns the time when the event with an id was sent.
func (a *API) Sent(id string) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sent[id]
}

// Close ends the API and its connections. It may be called again.
func (a *API) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.done:
		return
	default:
	}
	close(a.done)
	a.listener.Close()
	for conn := range a.conns {
		_ = errors.Join(conn.CloseRead(), conn.CloseWrite()) // this ends a blocked read and write
		conn.Close()
	}
}

func (a *API) accept() {
	for {
		conn, err := a.listener.AcceptTCP()
		if err != nil {
			return // closed
		}
		block(conn)
		a.mu.Lock()
		a.conns[conn] = struct{}{}
		a.opened++
		number := a.opened
		a.mu.Unlock()
		go func() {
			a.serve(conn, number)
			conn.Close()
			a.mu.Lock()
			delete(a.conns, conn)
			a.mu.Unlock()
		}()
	}
}

// block makes reads and writes wait in the kernel, not in Go's poller, which would add 25 us to what is timed.
func block(conn *net.TCPConn) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.SetNonblock(int(fd), false) })
	}
}

// timed is a connection that notes the time of its last read.
type timed struct {
	net.Conn
	at time.Time
}

func (t *timed) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.at = time.Now()
	return n, err
}

// serve answers the requests of one connection until one side ends it.
func (a *API) serve(conn net.Conn, number int) {
	in := &timed{Conn: conn}
	buffered := bufio.NewReader(in)
	for {
		r, err := http.ReadRequest(buffered)
		if err != nil {
			return
		}
		if r.Header.Get("Expect") == "100-continue" { // curl waits a second for an answer before it sends a large body
			if _, err := io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
				return
			}
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		path, below := strings.CutPrefix(r.URL.Path, prefix)
		if extension, ok := strings.CutPrefix(path, extensionPrefix); ok {
			path = extension
		} else if !below {
			path = "not below " + prefix + ": " + path
		}
		a.mu.Lock()
		id, verb, _ := strings.Cut(strings.TrimPrefix(path, "/invocation/"), "/")
		request := Request{number, r.Method, path, r.Header, body, in.at, a.answered[id]}
		a.requests = append(a.requests, request)
		if event, ok := a.byID[id]; ok {
			a.heard[id] = true
			a.answered[id] = a.answered[id] || verb == "error" || event.ReplyStatus == 0
		}
		a.mu.Unlock()
		if !a.answer(conn, request) || r.Close {
			return
		}
	}
}

// answer sends the response to one request and reports whether the connection can carry another.
func (a *API) answer(conn net.Conn, r Request) bool {
	method, path := r.Method, r.Path
	switch {
	case r.Refused:
		return a.send(conn, Wire{}, http.StatusForbidden, nil, "")
	case method == http.MethodGet && path == "/invocation/next":
		event, ok := a.take()
		if !ok {
			<-a.done
			return false
		}
		if event.After != nil {
			event.After()
		}
		answer := event.Wire.render(http.StatusOK, event.fields(), []byte(event.Body))
		a.mu.Lock()
		a.sent[event.ID] = time.Now()
		a.mu.Unlock()
		return a.write(conn, event.Wire, answer)
	case method == http.MethodGet && path == "/restore/next":
		a.mu.Lock()
		restore := a.restore
		a.mu.Unlock()
		if restore == nil {
			break
		}
		select {
		case <-time.After(restore.After):
			return a.send(conn, restore.Wire, cmp.Or(restore.Status, http.StatusOK), nil, "")
		case <-a.done:
			return false
		}
	case method == http.MethodPost && (path == "/init/error" || path == "/restore/error"):
		return a.send(conn, Wire{}, http.StatusAccepted, nil, statusOK)
	case method == http.MethodPost && path == "/extension/register":
		a.join(1)
		return a.send(conn, Wire{}, http.StatusOK, []field{{"Lambda-Extension-Identifier", "identifier-1"}}, "{}")
	case method == http.MethodGet && path == "/extension/event/next":
		a.join(-1)
		<-a.done
		return false
	case method == http.MethodPost:
		id, verb, _ := strings.Cut(strings.TrimPrefix(path, "/invocation/"), "/")
		event, ok := a.byID[id]
		status := http.StatusAccepted
		switch {
		case !ok:
		case verb == "response":
			return a.send(conn, event.Reply, cmp.Or(event.ReplyStatus, status), nil, statusOK)
		case verb == "error":
			return a.send(conn, event.Reply, cmp.Or(event.ErrorStatus, status), nil, statusOK)
		}
	}
	return a.send(conn, Wire{}, http.StatusNotFound, nil, "")
}

const statusOK = `{"status":"OK"}`

// send sends one response. If Wire.Leave says so, it ends the API.
func (a *API) send(conn net.Conn, wire Wire, status int, fields []field, body string) bool {
	return a.write(conn, wire, wire.render(status, fields, []byte(body)))
}

func (a *API) write(conn net.Conn, wire Wire, response []byte) bool {
	goesOn := wire.write(conn, response)
	if wire.Leave != 0 {
		a.Close()
	}
	return goesOn
}

// take returns the next event, or false if none is left.
func (a *API) take() (Event, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next == len(a.events) {
		a.idling.Do(func() { go a.settle() })
		return Event{}, false
	}
	a.next++
	return a.events[a.next-1], true
}

func (a *API) join(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.joining += n
}

// settle waits until every event has an outcome and all extensions have asked for events, at most two seconds.
func (a *API) settle() {
	defer close(a.idle)
	for range 200 {
		a.mu.Lock()
		settled := a.joining <= 0 && len(a.heard) >= len(a.events)
		a.mu.Unlock()
		if settled {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
