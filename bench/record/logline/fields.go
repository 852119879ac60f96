package logline

import (
	"encoding/json"
	"strings"

	"github.com/twinstart/twinstart/arm/counts"
)

// field is one "Key: value unit" of a log line, as written. The unit may be empty.
type field struct{ key, value, unit string }

// fields splits "Key: value unit" pairs, tab-separated as Lambda writes them or separated by spaces as they come out of
// a copy. Keys have several words ("Max Memory Used"), values one, so with spaces a value ends after its unit, if it has
// one, and the next words begin the next key. Words that belong to no pair, as where a line was cut off, are a field without a key.
func fields(s string) []field {
	out := make([]field, 0, 8)
	tabs := strings.IndexByte(s, '\t') >= 0
	for s != "" {
		column := s
		if s = ""; tabs {
			column, s, _ = strings.Cut(column, "\t")
		}
		out = pairs(out, column, tabs)
	}
	return out
}

// pairs appends the pairs of a column.
func pairs(out []field, column string, alone bool) []field {
	key, paired := "", false // words of the key so far
	for word, rest := next(column); word != ""; word, rest = next(rest) {
		start := len(column) - len(rest) - len(word)
		last, ok := strings.CutSuffix(word, ":")
		if !ok {
			if key == "" {
				key = column[start:]
			}
			continue
		}
		f := field{key: last}
		if key != "" {
			f.key = joined(key[:len(key)-len(rest)-1])
		}
		key, paired = "", true
		if value, after := next(rest); value != "" && !strings.HasSuffix(value, ":") {
			f.value, rest = value, after
			if unit, after := next(rest); isUnit(unit) {
				f.unit, rest = unit, after
			}
		}
		out = append(out, f)
	}
	if key != "" && (!alone || !paired) { // a value in a column of its own may have several words
		out = append(out, field{value: joined(key)})
	}
	return out
}

// next cuts off the first word.
func next(s string) (word, rest string) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	end := i
	for end < len(s) && !isSpace(s[end]) {
		end++
	}
	return s[i:end], s[end:]
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' }

// joined puts one space between words.
func joined(key string) string {
	if strings.Contains(key, "  ") || strings.TrimSpace(key) != key {
		return strings.Join(strings.Fields(key), " ")
	}
	return key
}

// isUnit distinguishes a unit from the first word of the next key. None of Lambda's keys starts with one of these.
func isUnit(word string) bool {
	switch word {
	case "ms", "s", "B", "KB", "KiB", "MB", "MiB", "GB":
		return true
	}
	return false
}

// after returns what follows the word in the line, where it stands at the line's start or after white space: in
// INIT_REPORT the REPORT is part of another word.
func after(line, word string) (rest string, ok bool) {
	for at := 0; ; {
		i := strings.Index(line[at:], word)
		if i < 0 {
			return "", false
		}
		i += at
		if i == 0 || line[i-1] == ' ' || line[i-1] == '\t' {
			return line[i+len(word):], true
		}
		at = i + len(word)
	}
}

// The stages that a bootstrap times itself.
const (
	PhasesOfInit  = "init"
	PhasesOfEvent = "event"
)

// Phases is what a bootstrap writes about itself where TWINSTART_PHASES=1 asks for it: one line per INIT and one per event.
// See docs/handler-contract.md.
type Phases struct {
	Of        string             // PhasesOfInit or PhasesOfEvent
	RequestID string             // of an event; "" for INIT
	Ms        map[string]float64 // time of each moment, in ms since the process began, or since the first byte of the event
}

// ParsePhases parses such a line, with any prefix. ok is false for any other line, and for an invalid time.
func ParsePhases(line string) (p Phases, ok bool) {
	i := strings.Index(line, `{"twinstartPhases":`)
	if i < 0 {
		return Phases{}, false
	}
	var l struct { // as written; us are microseconds
		Of        string             `json:"twinstartPhases"`
		RequestID string             `json:"requestId"`
		US        map[string]float64 `json:"us"`
	}
	if json.NewDecoder(strings.NewReader(line[i:])).Decode(&l) != nil || len(l.US) == 0 ||
		l.Of != PhasesOfInit && (l.Of != PhasesOfEvent || l.RequestID == "") {
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

// ParseLab parses the lab's own line about a cold start, text or lab.report in JSON. ok is false for any other line.
func ParseLab(line string) (l counts.Line, ok bool) {
	if i := strings.IndexByte(line, '{'); i >= 0 && strings.Contains(line, `"lab.report"`) {
		var e struct {
			Type   string
			Record counts.Line
		}
		ok := json.NewDecoder(strings.NewReader(line[i:])).Decode(&e) == nil && e.Type == "lab.report" &&
			e.Record.RequestID != "" && e.Record.Validate() == nil
		return e.Record, ok
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
