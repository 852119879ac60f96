package record

import "fmt"

// Arrival is a request of a load. Times are in ms since the load began to send in this repeat, by the caller's clock.
type Arrival struct {
	Of         string   `json:"of"`               // the load, in words: "500 requests at concurrency 10"
	Stage      string   `json:"stage,omitempty"`  // the stage of the load, if it has several
	Closed     bool     `json:"closed,omitempty"` // it was sent when another one was answered; else at a set time
	ViaURL     bool     `json:"viaURL,omitempty"`
	IntendedMs float64  `json:"intendedMs"`
	SentMs     *float64 `json:"sentMs,omitempty"` // nil if it was shed
	DoneMs     *float64 `json:"doneMs,omitempty"`
}

// LatencyMs returns the time from when a request was due until its response, so it includes the wait to be sent. ok is
// false for a request without a response.
func (r *Record) LatencyMs() (ms float64, ok bool) {
	if r.Load == nil || r.Load.DoneMs == nil || r.ClientDurationMs == nil {
		return 0, false
	}
	return *r.Load.DoneMs - r.Load.IntendedMs, true
}

// Name returns the load in words, or "" if there is no load.
func (a *Arrival) Name() string {
	if a == nil {
		return ""
	}
	return a.Of
}

func (a *Arrival) validate() error {
	if a == nil {
		return nil
	}
	sent, done := a.SentMs, a.DoneMs
	if a.Of == "" || !(a.IntendedMs >= 0 && a.IntendedMs <= maxMs) || sent != nil && *sent < a.IntendedMs ||
		done != nil && (sent == nil || !(*done >= *sent && *done <= maxMs)) {
		return fmt.Errorf("load %q, intended at %v ms: want its name, and the times intended, sent and done in this order",
			a.Of, a.IntendedMs)
	}
	return nil
}

// Loaded is the Start of a Key that counts the requests of a repeat of a load.
const Loaded Start = "load"
