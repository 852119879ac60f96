package logline

import (
	"encoding/json"
	"strings"

	"github.com/twinstart/twinstart/arm/counts"
)

// The stages that a bootstrap times by itself.
const (
	PhasesOfInit  = "init"
	PhasesOfEvent = "event"
)

// Phases is what a bootstrap writes about itself where TWINSTART_PHASES=1 asks for it: one line per INIT and one per event.
// See docs/handler-contract.md.
type Phases struct {
	Of        string             // PhasesOfInit or PhasesOfEvent
	RequestID string             // of an event; a line about INIT knows none
	Ms        map[string]float64 // when each moment came, in ms since the process began, or since the first byte of the event
}

// phasesLine is the line as written; us are microseconds.
type phasesLine struct {
	Of        string             `json:"twinstartPhases"`
	RequestID string             `json:"requestId"`
	US        map[string]float64 `json:"us"`
}

// ParsePhases reads such a line, whatever stands before it; ok is false for any other, and for one with a time that is none.
func ParsePhases(line string) (p Phases, ok bool) {
	i := strings.Index(line, `{"twinstartPhases":`)
	if i < 0 {
		return Phases{}, false
	}
	var l phasesLine
	if json.NewDecoder(strings.NewReader(line[i:])).Decode(&l) != nil || len(l.US) == 0 {
		return Phases{}, false
	}
	if l.Of != PhasesOfInit && (l.Of != PhasesOfEvent || l.RequestID == "") {
		return Phases{}, false
	}
	p = Phases{Of: l.Of, RequestID: l.RequestID, Ms: make(map[string]float64, len(l.US))}
	for name, us := range l.US {
		if us < 0 || name == "" {
			return Phases{}, false
		}
		p.Ms[name] = us / 1000
	}
	return p, true
}

// ParseLab reads the lab's own line about a cold start, text or lab.report in JSON; ok is false for any other.
func ParseLab(line string) (l counts.Line, ok bool) {
	if i := strings.IndexByte(line, '{'); i >= 0 && strings.Contains(line, `"lab.report"`) {
		return parseLabJSON(line[i:])
	}
	rest, ok := after(line, "LAB RequestId:")
	if !ok {
		return l, false
	}
	for i, f := range fields("RequestId:" + rest) {
		if i == 0 {
			l.RequestID = f.value
		} else {
			l.Set(f.key, f.value)
		}
	}
	return l, l.RequestID != ""
}

func parseLabJSON(s string) (counts.Line, bool) {
	var e struct {
		Type   string      `json:"type"`
		Record counts.Line `json:"record"`
	}
	if json.NewDecoder(strings.NewReader(s)).Decode(&e) != nil || e.Type != "lab.report" || e.Record.RequestID == "" || e.Record.Validate() != nil {
		return counts.Line{}, false
	}
	return e.Record, true
}
