package importer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/record"
)

// maxDocument bounds what is read whole. Insights returns 10,000 rows at most, lambda-perf writes 60 kB.
const maxDocument = 64 << 20

func document(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%s is larger than %d MB: no export is", name, maxDocument>>20)
	}
	return data, nil
}

// lineAt is the line of an offset, from 1.
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte{'\n'})
}

// malformed says where JSON is not what it should be.
func malformed(name string, data []byte, base int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		base += syntax.Offset
	case errors.As(err, &kind):
		base += kind.Offset
	}
	return bad(name, lineAt(data, base), "%s", strings.TrimPrefix(err.Error(), "json: "))
}

// row is a result of a query: field -> value, as text.
type row map[string]string

func insightsCSV(r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		in := csv.NewReader(r)
		in.FieldsPerRecord = -1
		in.ReuseRecord = true
		var heads []string
		lines := Lines{Options: o}
		for {
			cells, err := in.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var syntax *csv.ParseError
			if errors.As(err, &syntax) {
				if !yield(nil, bad(name, syntax.Line, "%v", syntax.Err)) {
					return
				}
				continue
			}
			if err != nil {
				yield(nil, fmt.Errorf("reading %s: %w", name, err))
				return
			}
			line, _ := in.FieldPos(0)
			if heads == nil {
				for _, c := range cells {
					heads = append(heads, strings.TrimPrefix(strings.TrimSpace(c), "\ufeff"))
				}
				continue
			}
			got := row{}
			for i, c := range cells {
				if i < len(heads) {
					got[heads[i]] = c
				}
			}
			if !got.emit(&lines, name, line, yield) {
				return
			}
		}
	}
}

func insightsJSON(r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		data, err := document(r, name)
		if err != nil {
			yield(nil, err)
			return
		}
		rows := json.RawMessage(data)
		start := int64(0)
		if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' { // of get-query-results
			var whole struct{ Results json.RawMessage }
			if err := json.Unmarshal(data, &whole); err != nil {
				yield(nil, malformed(name, data, 0, err))
				return
			}
			rows = whole.Results
			start = int64(max(0, bytes.Index(data, rows)))
		}
		lines := Lines{Options: o}
		d := json.NewDecoder(bytes.NewReader(rows))
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			yield(nil, bad(name, lineAt(data, start), "want a list of results"))
			return
		}
		for d.More() {
			at := start + d.InputOffset()
			var raw json.RawMessage
			if err := d.Decode(&raw); err != nil {
				yield(nil, malformed(name, data, start, err))
				return
			}
			at += int64(max(0, bytes.Index(data[min(at, int64(len(data))):], raw)))
			got, err := parseRow(raw)
			if err != nil {
				if !yield(nil, bad(name, lineAt(data, at), "%w", err)) {
					return
				}
				continue
			}
			if !got.emit(&lines, name, lineAt(data, at), yield) {
				return
			}
		}
	}
}

// parseRow takes [{"field": F, "value": V}, ...] or {F: V, ...}.
func parseRow(raw json.RawMessage) (row, error) {
	out := row{}
	if raw[0] == '[' {
		var cells []struct {
			Field string `json:"field"`
			Value any    `json:"value"`
		}
		if err := json.Unmarshal(raw, &cells); err != nil {
			return nil, errors.New("want a list of fields and values")
		}
		for _, c := range cells {
			out[c.Field] = text(c.Value)
		}
		return out, nil
	}
	var cells map[string]any
	if err := json.Unmarshal(raw, &cells); err != nil {
		return nil, errors.New("want an object of fields and values")
	}
	for f, v := range cells {
		out[f] = text(v)
	}
	return out, nil
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// emit yields the row's record. Rows of other log lines, which a query without a filter has, are passed over.
func (w row) emit(lines *Lines, name string, line int, yield func(*record.Record, error) bool) bool {
	e := Event{Stream: w["@logStream"]}
	for _, layout := range []string{"2006-01-02 15:04:05.999", time.RFC3339Nano} {
		if t, err := time.Parse(layout, w["@timestamp"]); err == nil {
			e.Time = t
			break
		}
	}
	if w["@duration"] == "" {
		e.Message = w["@message"]
		rec, err := lines.Record(e)
		if err != nil && !yield(nil, bad(name, line, "%w", err)) {
			return false
		}
		return rec == nil || yield(rec, nil)
	}
	r := lines.Options.record()
	r.LogStream, r.RequestID = e.Stream, w["@requestId"]
	if !e.Time.IsZero() {
		r.StartedAt = e.Time.UTC()
	}
	var problems []error
	number := func(field string) *float64 {
		if w[field] == "" {
			return nil
		}
		x, err := strconv.ParseFloat(strings.TrimSpace(w[field]), 64)
		if err != nil || !(x >= 0) || math.IsInf(x, 0) {
			problems = append(problems, fmt.Errorf("%s is %q: want a number >= 0", field, w[field]))
			return nil
		}
		return &x
	}
	// Insights has memory in bytes, a MB being a million of them: 128 MB are 1.28E8.
	megabytes := func(field string) *int {
		x := number(field)
		if x == nil || *x > 1e12 {
			return nil
		}
		return new(int(math.Round(*x / 1e6)))
	}
	r.DurationMs, r.BilledDurationMs, r.InitDurationMs = number("@duration"), number("@billedDuration"), number("@initDuration")
	r.RestoreDurationMs = number("@restoreDuration")
	r.MaxMemoryUsedMB = megabytes("@maxMemoryUsed")
	if size := megabytes("@memorySize"); size != nil {
		r.MemorySizeMB = *size
	}
	r.Start = record.Warm
	if r.InitDurationMs != nil || r.RestoreDurationMs != nil {
		r.Start = record.Cold
	}
	if len(problems) > 0 {
		err := errors.Join(problems...)
		r.Marked = record.BadReport.With(strings.ReplaceAll(err.Error(), "\n", "; "))
		if !yield(nil, bad(name, line, "%w", err)) {
			return false
		}
	}
	return yield(r, nil)
}
