package runtimeapi

import (
	"slices"
	"time"

	"github.com/twinstart/twinstart/arm"
)

// Kind says what a bootstrap did.
type Kind int

// What a bootstrap can do.
const (
	Next      Kind = iota // asked for the next event
	Response              // answered the current invocation
	Failure               // reported that the current invocation failed
	InitError             // reported that INIT failed, or that its work after a restore failed
	TooLarge              // answered with more than MaxResponse bytes and was refused
	Extension             // an extension registered, or asked for its next event
	Restore               // with SnapStart: finished INIT, so that a snapshot can be taken
	ended                 // for Reset: no call of the old bootstrap follows
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

// Delivery is an invocation, and a channel that receives the time when its answer is about to be written.
type Delivery struct {
	Invocation
	At chan<- time.Time // must have room for one value
}

// MaxResponse is the largest response of a buffered invocation in bytes. As on AWS, it is 6 MB and a few bytes for the
// envelope.
const MaxResponse = arm.MaxPayload + 100

// state says what a bootstrap may do next, or what it waits for.
type state int

const (
	initialising state = iota // GET next or POST init/error
	ready                     // waits in GET next; asks again if it loses the connection
	invoking                  // POST response or error
	refused                   // the response was too large: POST error or GET next
	answered                  // GET next
	held                      // waits in GET restore/next
	restored                  // GET next or POST restore/error
	broken                    // the bootstrap has reported an error of INIT or of a restore and should exit
)

// enter changes the state if the current state is one of from, and reports whether it was.
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
		s.tell(extensionEvent{Type: "INVOKE", DeadlineMs: in.Deadline.UnixMilli(), RequestID: in.RequestID, ARN: in.ARN,
			Tracing: map[string]string{"type": "X-Amzn-Trace-Id", "value": in.TraceID}})
	}
	s.mu.Unlock()
}
