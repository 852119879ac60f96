package runtimeapi

import "slices"

// state says what a bootstrap may do next.
type state int

const (
	initialising state = iota // GET next or POST init/error
	ready                     // waits in GET next; another GET next means that the connection was lost
	invoking                  // POST response or error
	refused                   // the response was too large: POST error or GET next
	answered                  // GET next
	broken                    // the bootstrap has reported an init error and should exit
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
