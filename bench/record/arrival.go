package record

import "fmt"

// Arrival is a request of a load. Times are in ms since the load began to send in this repeat, by the caller's clock.
type Arrival struct {
	Of         string   `json:"of"`               // the load, the same words in all of its records: "500 requests at concurrency 10"
	Stage      string   `json:"stage,omitempty"`  // the part of it, where it has several
	Closed     bool     `json:"closed,omitempty"` // it was sent when another was done; else at its time, whatever others did
	ViaURL     bool     `json:"viaURL,omitempty"`
	IntendedMs float64  `json:"intendedMs"`
	SentMs     *float64 `json:"sentMs,omitempty"` // nil if it was shed
	DoneMs     *float64 `json:"doneMs,omitempty"`
}

// LatencyMs returns the time from when a request was due until its response. So a request that waited to be sent has
// waited. It is false for a request without a response.
func (r *Record) LatencyMs() (ms float64, ok bool) {
	if r.Load == nil || r.Load.DoneMs == nil || r.ClientDurationMs == nil {
		return 0, false
	}
	return *r.Load.DoneMs - r.Load.IntendedMs, true
}

// Name returns the load's words, or "" if there is no load.
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
	if a.Of == "" || !(a.IntendedMs >= 0 && a.IntendedMs <= maxMs) || sent != nil && *sent < a.IntendedMs || done != nil && (sent == nil || !(*done >= *sent && *done <= maxMs)) {
		return fmt.Errorf("load %q, intended at %v ms: want its words, and when it was intended, sent and done in this order", a.Of, a.IntendedMs)
	}
	return nil
}

// Loaded is the Start of a Key that counts the requests of a repeat of a load.
const Loaded Start = "load"
