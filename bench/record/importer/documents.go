package importer

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/twinstart/twinstart/bench/record/logline"
)

// collected holds the events of a file that is read whole: JSON or CSV.
type collected struct {
	name     string
	events   []Event
	problems []error
	rows     int // of queries
}

func (c *collected) warn(line int, format string, args ...any) {
	c.problems = append(c.problems, bad(c.name, line, format, args...))
}

// inOrder returns the events, oldest first. Insights returns them newest first.
func (c *collected) inOrder() []Event {
	if n := len(c.events); n > 1 && c.events[0].Time.After(c.events[n-1].Time) {
		slices.Reverse(c.events) // events within a millisecond keep their order
	}
	slices.SortStableFunc(c.events, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return c.events
}

// tolerant accepts JSON with duplicate names and invalid UTF-8.
var tolerant = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// lists are members of documents that hold events or rows. others are members that only documents about logs have.
var (
	lists  = []string{"events", "logEvents", "results", "Records", "records"}
	others = []string{"awslogs", "searchedLogStreams", "nextForwardToken", "queryLanguage",
		"eventId", "ingestionTime", "logStreamName"}
)

// isDocument reports whether a file is JSON that contains log events, and not JSON that was logged. It may be the
// response of filter-log-events, get-log-events or get-query-results, the export of a query, a subscription's document
// from Firehose, Kinesis or Lambda, or single events.
func isDocument(head []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(head), tolerant...)
	kind := d.PeekKind()
	if kind != '[' && kind != '{' {
		return false
	}
	_, _ = d.ReadToken()
	if kind == '[' {
		k := d.PeekKind()
		return k == '{' || k == '[' || k == ']'
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			break
		}
		if key := name.String(); isField(key) || slices.Contains(lists, key) || slices.Contains(others, key) {
			return true
		}
		if d.SkipValue() != nil {
			break
		}
	}
	return false
}

// document reads such JSON. passed is the number of the file's lines that come before at.
type document struct {
	*collected
	in     *jsontext.Decoder
	data   []byte
	at     int64 // lines up to here are counted
	passed int
}

func (c *collected) document(data []byte, passed int) {
	d := document{collected: c, data: data, passed: passed, in: jsontext.NewDecoder(bytes.NewBuffer(data), tolerant...)}
	var err error
	for err == nil {
		err = d.value()
	}
	if errors.Is(err, io.EOF) {
		return
	}
	at := d.in.InputOffset()
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at, err = syntax.ByteOffset, syntax.Err
	}
	c.problems = append(c.problems, broken(c.name, d.lineAt(at), err))
}

// lineAt returns the line of an offset. Offsets must not decrease.
func (d *document) lineAt(offset int64) int {
	d.passed += bytes.Count(d.data[d.at:max(d.at, offset)], newline)
	d.at = max(d.at, offset)
	return d.passed + 1
}

func (d *document) value() error {
	switch d.in.PeekKind() {
	case '{':
		_, err := d.object()
		return err
	case '[':
		return d.array()
	}
	return d.in.SkipValue()
}

// array reads a list, or a query's row, which is a list of fields.
func (d *document) array() error {
	r, line := row{}, 0
	_, err := d.in.ReadToken()
	for err == nil && d.in.PeekKind() != ']' {
		if d.in.PeekKind() != '{' {
			err = d.value()
			continue
		}
		var cell row
		if cell, err = d.object(); cell["field"] != "" {
			r[cell["field"]], line = cell["value"], cmp.Or(line, d.lineAt(d.in.InputOffset()))
		}
	}
	if err == nil {
		_, err = d.in.ReadToken()
	}
	if err == nil && len(r) > 0 {
		d.row(r, line)
	}
	return err
}

// object reads an object, and collects the events that it is or has. It returns the members that are text or numbers.
func (d *document) object() (text row, err error) {
	first, logged := len(d.events), ""
	text = row{}
	for _, err = d.in.ReadToken(); err == nil && d.in.PeekKind() != '}'; {
		var name jsontext.Token
		if name, err = d.in.ReadToken(); err != nil {
			break
		}
		key, kind := name.String(), d.in.PeekKind()
		switch {
		case kind == '[' && slices.Contains(lists, key), kind == '{' && (key == "awslogs" || key == "kinesis"):
			err = d.value()
		case kind == '"' || kind == '0':
			var value jsontext.Token
			if value, err = d.in.ReadToken(); err == nil {
				text[key] = value.String()
			}
		default:
			var value jsontext.Value
			if value, err = d.in.ReadValue(); key == "record" && kind == '{' {
				logged = string(value)
			}
		}
	}
	if err == nil {
		_, err = d.in.ReadToken()
	}
	for i := range d.events[first:] { // a subscription's document names their stream
		d.events[first+i].Stream = cmp.Or(d.events[first+i].Stream, text["logStream"])
	}
	if err == nil && text["field"] == "" {
		d.close(text, logged, d.lineAt(d.in.InputOffset()))
	}
	return text, err
}

// close collects the event that an object is, or warns if a response is incomplete.
func (d *document) close(text row, logged string, line int) {
	e := Event{Line: line, Stream: text["logStreamName"]}
	switch kind, status := text["type"], text["status"]; {
	case logged != "" && strings.HasPrefix(kind, "platform."):
		e.Message, e.Time = `{"type":`+strconv.Quote(kind)+`,"record":`+logged+`}`, timeOf(text["time"])
		d.events = append(d.events, e)
	case slices.ContainsFunc(slices.Collect(maps.Keys(text)), isField): // a query's row
		d.row(text, line)
	case text["message"] != "":
		e.Message, e.Time, e.alone = text["message"], timeOf(text["timestamp"]), text["eventId"]+text["id"] == ""
		if logline.KindOf(e.Message) != logline.KindOther {
			d.events = append(d.events, e)
		}
	case text["data"] != "":
		d.payload(text["data"], line)
	case text["nextToken"]+text["NextToken"] != "":
		d.warn(line, "the response ends with a token for more, so the file lacks the rest: get it with the token")
	case status != "" && status != "Complete" && kind == "":
		d.warn(line, "the query's status is %s, so these are not all its results: get them again when it is Complete", status)
	}
}

// maxPayload bounds the size of an unpacked payload. A subscription's has at most 6 MB.
const maxPayload = 64 << 20

// payload reads what a subscription sends: a gzipped document in base64.
func (d *document) payload(text string, line int) {
	var data []byte
	in, err := unpacked(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)), d.name)
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(in, maxPayload+1))
	}
	switch {
	case err != nil || len(data) > maxPayload:
		d.warn(line, "data that is not base64, is cut off, or unpacks to more than %d MB: it was skipped", maxPayload>>20)
	case isDocument(data[:min(len(data), headBytes)]):
		d.document(data, line-1)
	}
}

// timeOf parses a time of CloudWatch: ms since 1970, or text in UTC.
func timeOf(text string) time.Time {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		if n < 0 || n > 1e14 {
			return time.Time{}
		}
		return time.UnixMilli(int64(n))
	}
	return stamp(text).time()
}

// broken is the error for a file that is cut off. Everything before that point is imported.
func broken(name string, line int, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("cut off here: the rest is missing")
	}
	return bad(name, line, "%w", err)
}
