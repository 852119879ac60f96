package importer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// row is a result of a Logs Insights query: field -> value, as text.
type row map[string]string

// isField reports whether a name is of a query's field.
func isField(name string) bool {
	return strings.HasPrefix(name, "@") || strings.HasPrefix(name, "record.")
}

// isResult reports whether the row is a query's.
func (w row) isResult() bool {
	for name := range w {
		if isField(name) {
			return true
		}
	}
	return false
}

// row collects the event that a row is. Fields that Insights found in a REPORT, or in the JSON of platform.report,
// become a report.
func (c *collected) row(w row, line int) {
	c.rows++
	first := func(names ...string) string {
		for _, name := range names {
			if w[name] != "" {
				return w[name]
			}
		}
		return ""
	}
	e := Event{Stream: first("@logStream", "logStreamName", "logStream"), Time: timeOf(first("@timestamp", "timestamp")),
		Message: first("@message", "message"), Line: line}
	defer func() { c.events = append(c.events, e) }()
	kind := first("type", "@type")
	const metrics = "record.metrics."
	if w["@duration"] == "" && w[metrics+"durationMs"] == "" || kind != "" && kind != "REPORT" && kind != "platform.report" ||
		w["@duration"] == "" && kind == "" && w[metrics+"billedDurationMs"] == "" { // platform.runtimeDone has a duration, too
		return
	}
	r := &logline.Report{RequestID: first("@requestId", "record.requestId"), Status: w["record.status"], ErrorType: w["record.errorType"]}
	var problems []error
	for _, f := range r.Figures() {
		name := "@" + strings.TrimRight(f.JSON, "MsB") // durationMs is @duration, memorySizeMB is @memorySize
		text, unit := first(name, metrics+f.JSON), 1.0
		if f.MB != nil && w[name] != "" {
			unit = 1e6 // Insights has memory in bytes, a MB being a million of them: 128 MB are 1.28E8
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
	if err != nil {
		return false
	}
	for _, h := range heads {
		if h = strings.TrimSpace(h); isField(h) || len(heads) > 1 && h == "message" {
			return true
		}
	}
	return false
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
