package runtimeapi

import "slices"

// state is what a bootstrap may do next.
type state int

const (
	initialising state = iota // GET next or POST init/error
	ready                     // waits in GET next; another GET next is one whose connection was lost
	invoking                  // POST response or error
	refused                   // its response was too large: POST error or GET next
	answered                  // GET next
	broken                    // it reported an init error and is expected to exit
)

// enter changes the state to `to` if it is one of from, and says whether it was.
func (s *Server) enter(to state, from ...state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(from, s.state) {
		return false
	}
	s.state = to
	return true
}

func (s *Server) begin(requestID, nonce string) {
	s.mu.Lock()
	s.state, s.requestID, s.nonce = invoking, requestID, nonce
	s.mu.Unlock()
}
