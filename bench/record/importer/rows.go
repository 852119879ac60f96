package importer

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// row is a result of a Logs Insights query: field -> value, as text.
type row map[string]string

// isField reports whether a name is the name of a query's field.
func isField(name string) bool {
	return strings.HasPrefix(name, "@") || strings.HasPrefix(name, "record.")
}

// row collects the event of a row. Fields that Insights found in a REPORT, or in the JSON of platform.report,
// become a report.
func (c *collected) row(w row, line int) {
	c.rows++
	e := Event{Stream: cmp.Or(w["@logStream"], w["logStreamName"], w["logStream"]), Line: line}
	e.Time, e.Message = timeOf(cmp.Or(w["@timestamp"], w["timestamp"])), cmp.Or(w["@message"], w["message"])
	defer func() { c.events = append(c.events, e) }()
	kind := cmp.Or(w["type"], w["@type"])
	const metrics = "record.metrics."
	duration, isReport := cmp.Or(w["@duration"], w[metrics+"durationMs"]), kind == "REPORT" || kind == "platform.report"
	if kind == "" { // platform.runtimeDone has a duration, too, but nothing billed
		isReport = w["@duration"] != "" || w[metrics+"billedDurationMs"] != ""
	}
	if duration == "" || !isReport {
		return
	}
	r := &logline.Report{RequestID: cmp.Or(w["@requestId"], w["record.requestId"])}
	r.Status, r.ErrorType = w["record.status"], w["record.errorType"]
	var problems []error
	for _, f := range r.Figures() {
		name := "@" + strings.TrimRight(f.JSON, "MsB") // durationMs is @duration, memorySizeMB is @memorySize
		text, unit := cmp.Or(w[name], w[metrics+f.JSON]), 1.0
		if f.MB != nil && w[name] != "" {
			unit = 1e6 // Insights has memory in bytes; 128 MB are 1.28E8
		}
		if text == "" {
			continue
		}
		x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s is %q: want a number >= 0", name, text))
			continue
		}
		problems = append(problems, f.Set(name+" is", x/unit))
	}
	if r.Status == "success" {
		r.Status = ""
	}
	e.report, e.bad = r, errors.Join(problems...)
}

// isTable reports whether a file is CSV from the console: of a log group, or of a query.
func isTable(head []byte) bool {
	line, _, _ := bytes.Cut(head, newline)
	heads, err := csv.NewReader(bytes.NewReader(line)).Read()
	return err == nil && slices.ContainsFunc(heads, func(h string) bool {
		h = strings.TrimSpace(h)
		return isField(h) || len(heads) > 1 && h == "message"
	})
}

// table reads such CSV.
func (c *collected) table(data []byte) {
	in := csv.NewReader(bytes.NewReader(data))
	in.FieldsPerRecord = -1
	var heads []string
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
			c.warn(syntax.Line, "%v", syntax.Err)
			continue
		}
		if heads == nil {
			heads = list.Map(cells, strings.TrimSpace)
			continue
		}
		got := row{}
		for i, cell := range cells[:min(len(cells), len(heads))] {
			got[heads[i]] = cell
		}
		line, _ := in.FieldPos(0)
		c.row(got, line)
	}
}
