package logline

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/counts"
)

// field is one "Key: value unit" of a log line, as written. The unit may be empty.
type field struct{ key, value, unit string }

// fields splits a line into its "Key: value unit" pairs. Lambda separates them by tabs; in a copied line they may be
// separated by spaces. Keys have several words ("Max Memory Used") and values one. So without tabs, a value ends after
// its unit, if it has one, and the next words begin the next key. Words that belong to no pair, for example because the
// line was cut off, are a field without a key.
func fields(line string) []field {
	out, tabs := make([]field, 0, 8), strings.Contains(line, "\t")
	for column := range strings.SplitSeq(line, "\t") {
		words := strings.Fields(column)
		key, paired := 0, false // where the key begins
		for i := 0; i < len(words); i++ {
			if !strings.HasSuffix(words[i], ":") {
				continue
			}
			f := field{key: strings.TrimSuffix(strings.Join(words[key:i+1], " "), ":")}
			if i+1 < len(words) && !strings.HasSuffix(words[i+1], ":") {
				i++
				f.value = words[i]
				if i+1 < len(words) && slices.Contains(units, words[i+1]) {
					i++
					f.unit = words[i]
				}
			}
			out, key, paired = append(out, f), i+1, true
		}
		if key < len(words) && (!tabs || !paired) { // a value in a column of its own may have several words
			out = append(out, field{value: strings.Join(words[key:], " ")})
		}
	}
	return out
}

// units tell a unit from the first word of the next key. None of Lambda's keys starts with one of these.
var units = []string{"ms", "s", "B", "KB", "KiB", "MB", "MiB", "GB"}

// phases keeps the moments of INIT, or of the invocation requestID, from the line that a bootstrap writes about itself
// if TWINSTART_PHASES=1 asks for it: see docs/handler-contract.md. A function's output without a line end may precede
// it. ok is false for any other line, and for an invalid time.
func (t *Tail) phases(line, requestID string) (ok bool) {
	i := strings.Index(line, `{"twinstartPhases":`)
	var l struct { // as written; us are microseconds
		Of        string             `json:"twinstartPhases"`
		RequestID string             `json:"requestId"`
		US        map[string]float64 `json:"us"`
	}
	if i < 0 || json.NewDecoder(strings.NewReader(line[i:])).Decode(&l) != nil || len(l.US) == 0 {
		return false
	}
	for name, us := range l.US {
		if us < 0 || name == "" {
			return false
		}
		l.US[name] = us / 1000
	}
	switch {
	case l.Of == "init":
		t.InitPhases = l.US
	case l.Of != "event" || l.RequestID == "":
		return false
	case requestID == "" || l.RequestID == requestID:
		t.EventPhases = l.US
	}
	return true
}

// ParseLab parses the lab's own line about a cold start, lab.report. ok is false for any other line.
func ParseLab(line string) (l counts.Line, ok bool) {
	if !strings.HasPrefix(line, "{") || !strings.Contains(line, `"lab.report"`) {
		return l, false
	}
	var e struct {
		Type   string
		Record counts.Line
	}
	ok = json.Unmarshal([]byte(line), &e) == nil && e.Type == "lab.report"
	return e.Record, ok && e.Record.RequestID != "" && e.Record.Validate() == nil
}
