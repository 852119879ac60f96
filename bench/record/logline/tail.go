package logline

import (
	"errors"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm/counts"
)

// Tail is what the end of an invocation's log says of it. Report is nil where no REPORT of that invocation stands in it:
// the emulators of others leave it out, and a function that prints much just before it dies can push it out.
type Tail struct {
	Report   *Report
	Lab      *counts.Line
	Problems []error // numbers of the REPORT that could not be used

	InitPhases, EventPhases map[string]float64 // moments in ms, where the bootstrap was asked for them

	Ahead time.Duration // from the end of INIT to the invocation's beginning, where a log in JSON says both
}

// Awaited is how long after its INIT a caller's invocation begins at most: milliseconds, with much to spare.
const Awaited = time.Second

// ParseTail looks for REPORT and LAB of the invocation requestID; "" takes any. The last one counts, because whatever
// a function prints stands before what Lambda writes.
func ParseTail(tail, requestID string) Tail {
	var t Tail
	var inited, started time.Time
	for line := range strings.Lines(tail) {
		line = strings.TrimRight(line, "\r\n")
		if l, ok := ParseLab(line); ok && (requestID == "" || l.RequestID == requestID) {
			t.Lab = &l
			continue
		}
		if p, ok := ParsePhases(line); ok {
			t.take(p, requestID)
			continue
		}
		switch l, _ := Parse(line); l.Kind {
		case KindInitStart:
			inited = l.Time
		case KindStart:
			started = l.Time
		}
		r, err := ParseReport(line)
		if !errors.Is(err, ErrNotReport) && (requestID == "" || r.RequestID == requestID) {
			t.Report, t.Problems = &r, nil
			if err != nil {
				t.Problems = append(t.Problems, err)
			}
			continue
		}
		// X-Ray's part comes on the same line or on the next.
		if rest, ok := after(line, "XRAY TraceId:"); ok && t.Report != nil && t.Report.TraceID == "" {
			if f := fields("XRAY TraceId:" + rest); len(f) > 0 {
				t.Report.TraceID = f[0].value
			}
		}
	}
	if !inited.IsZero() && !started.IsZero() && t.Report != nil && t.Report.InitDurationMs != nil {
		t.Ahead = started.Sub(inited) - time.Duration(*t.Report.InitDurationMs*float64(time.Millisecond))
	}
	return t
}

// take keeps the phases of INIT, and those of the invocation.
func (t *Tail) take(p Phases, requestID string) {
	switch {
	case p.Of == PhasesOfInit:
		t.InitPhases = p.Ms
	case requestID == "" || p.RequestID == requestID:
		t.EventPhases = p.Ms
	}
}
