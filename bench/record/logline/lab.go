package logline

import (
	"encoding/json"
	"strings"

	"github.com/twinstart/twinstart/arm/counts"
)

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
