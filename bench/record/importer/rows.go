package importer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/bench/record/logline"
)

// row is a result of a Logs Insights query: field -> value, as text.
type row map[string]string

// isField reports whether a name is of a query's field.
func isField(name string) bool {
	return strings.HasPrefix(name, "@") || strings.HasPrefix(name, "record.")
}

// event converts a row to an event of a log. Fields that Insights found in a REPORT, or in the JSON of
// platform.report, become a report.
func (w row) event(line int) Event {
	first := func(names ...string) string {
		for _, name := range names {
			if w[name] != "" {
				return w[name]
			}
		}
		return ""
	}
	e := Event{Stream: first("@logStream", "logStreamName", "logStream"), Time: timeOf(first("@timestamp", "timestamp")), Message: first("@message", "message"), Line: line}
	kind := first("type", "@type")
	const metrics = "record.metrics."
	if w["@duration"] == "" && w[metrics+"durationMs"] == "" || kind != "" && kind != "REPORT" && kind != "platform.report" ||
		w["@duration"] == "" && kind == "" && w[metrics+"billedDurationMs"] == "" { // platform.runtimeDone has a duration, too
		return e
	}
	r := &logline.Report{RequestID: first("@requestId", "record.requestId"), Status: w["record.status"], ErrorType: w["record.errorType"]}
	var problems []error
	for _, f := range r.Figures() {
		name := "@" + strings.TrimRight(f.JSON, "MsB") // durationMs is @duration, memorySizeMB is @memorySize
		text, unit := first(name, metrics+f.JSON), 1.0
		if f.MB != nil && w[name] != "" {
			unit = 1e6 // Insights has memory in bytes, a MB being a million of them: 128 MB are 1.28E8
		}
		x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		switch {
		case text == "":
		case err != nil || !(x >= 0) || x > 1e12:
			problems = append(problems, fmt.Errorf("%s is %q: want a number >= 0", name, text))
		case f.Ms != nil && x > 1e9:
			problems = append(problems, fmt.Errorf("%s is %v: too large", name, x))
		case f.Ms != nil || x/unit <= 1e6:
			f.Set(x / unit)
		}
	}
	if r.Status == "success" {
		r.Status = ""
	}
	e.report, e.bad = r, errors.Join(problems...)
	return e
}

// fullText is the warning about a query that returned as many rows as it can.
const fullText = "%d rows, which is as many as a query returns at most: there may be more; narrow the query's time, or raise its limit"

// full reports whether a query's results were probably cut at a limit: the default, or the highest.
func full(rows int) bool { return rows == 1000 || rows == 10000 }

// maxSorted bounds the events that are sorted at a time: more than a query returns.
const maxSorted = 1 << 17

// sorter sorts the events of a query, which Insights returns newest first. Events of logs are oldest first already.
type sorter struct {
	yield func(Event, error) bool
	rows  []Event
	bytes int
}

func (s *sorter) add(e Event) bool {
	s.rows = append(s.rows, e)
	s.bytes += len(e.Message)
	if len(s.rows) < maxSorted && s.bytes < maxPayload {
		return true
	}
	return s.end()
}

func (s *sorter) end() bool {
	if n := len(s.rows); n > 1 && s.rows[0].Time.After(s.rows[n-1].Time) {
		slices.Reverse(s.rows) // events within a millisecond keep their order
	}
	slices.SortStableFunc(s.rows, func(a, b Event) int { return a.Time.Compare(b.Time) })
	rows := s.rows
	s.rows, s.bytes = nil, 0
	for _, e := range rows {
		if !s.yield(e, nil) {
			return false
		}
	}
	return true
}

// isTable reports whether a file is CSV from the console: of a log group, or of a query.
func isTable(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
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

func readTable(in *bufio.Reader, name string, yield func(Event, error) bool) {
	rows := sorter{yield: yield}
	h := &held{in: in}
	table := csv.NewReader(h)
	table.FieldsPerRecord, table.ReuseRecord = -1, true
	var heads []string
	n, line := 0, 0
	for {
		h.reset()
		h.ends = h.ends[:0]
		cells, err := table.Read()
		var syntax *csv.ParseError
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.As(err, &syntax) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errHeld) {
			line = syntax.Line
			if !rows.end() || !yield(Event{}, bad(name, line, "%v", syntax.Err)) {
				return
			}
			continue
		}
		if err != nil {
			if rows.end() {
				yield(Event{}, broken(name, line+1, err))
			}
			return
		}
		line, _ = table.FieldPos(0)
		if heads == nil {
			for _, c := range cells {
				heads = append(heads, strings.TrimSpace(c))
			}
			continue
		}
		got := row{}
		for i, c := range cells {
			if i < len(heads) {
				got[heads[i]] = c
			}
		}
		n++
		if !rows.add(got.event(line)) {
			return
		}
	}
	if rows.end() && full(n) {
		yield(Event{}, bad(name, line, fullText, n))
	}
}
