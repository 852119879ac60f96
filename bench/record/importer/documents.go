package importer

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/twinstart/twinstart/bench/record/logline"
)

// tolerant accepts JSON with duplicate names and invalid UTF-8.
var tolerant = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// isDocument reports whether a file is JSON that contains log events, in contrast to JSON that was logged. It is the
// response of filter-log-events, get-log-events or get-query-results, the export of a query, a subscription's
// document from Firehose, Kinesis or Lambda, or single events.
func isDocument(head []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(head), tolerant...)
	switch d.PeekKind() {
	case '[':
		_, _ = d.ReadToken()
		k := d.PeekKind()
		return k == '{' || k == '[' || k == ']'
	case '{':
	default:
		return false
	}
	_, _ = d.ReadToken()
	known := 0
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			break
		}
		switch name.String() {
		case "events", "logEvents", "results", "awslogs", "Records", "records", "searchedLogStreams", "nextForwardToken", "queryLanguage", "@timestamp", "@message", "@duration":
			return true
		case "eventId", "ingestionTime", "logStreamName", "message":
			known++
		case "timestamp":
			if d.PeekKind() == '0' {
				known++
			}
		}
		if d.SkipValue() != nil {
			break
		}
	}
	return known > 2
}

// documents reads such JSON as a stream.
type documents struct {
	name   string
	in     *held
	d      *jsontext.Decoder
	base   int // line before the first, for a document within another
	stream string
	emit   func(Event) bool
	yield  func(Event, error) bool
	rows   int
}

// errStop ends the reading when the consumer wants no more.
var errStop = errors.New("enough")

func readDocuments(in *bufio.Reader, name string, yield func(Event, error) bool) {
	rows := sorter{yield: yield}
	h := &held{in: in}
	d := &documents{name: name, in: h, d: jsontext.NewDecoder(h, tolerant...), emit: rows.add, yield: yield}
	err := d.all()
	line := h.lineAt(d.d.InputOffset())
	if errors.Is(err, errStop) || !rows.end() {
		return
	}
	if err != nil {
		if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
			line, err = h.lineAt(syntax.ByteOffset), syntax.Err
		}
		yield(Event{}, broken(name, line, err))
	}
	if full(d.rows) {
		yield(Event{}, bad(name, line, fullText, d.rows))
	}
}

func (d *documents) all() error {
	for {
		if err := d.value(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (d *documents) line() int { return d.base + d.in.lineAt(d.d.InputOffset()) }

func (d *documents) value() error {
	d.in.reset()
	switch d.d.PeekKind() {
	case '{':
		_, err := d.object()
		return err
	case '[':
		return d.array()
	}
	return d.d.SkipValue()
}

// array reads a list, or a query's row, which is a list of fields.
func (d *documents) array() error {
	_, err := d.d.ReadToken()
	line := 0
	var r row
	for err == nil && d.d.PeekKind() != ']' {
		d.in.reset()
		switch d.d.PeekKind() {
		case '{':
			var o row
			if o, err = d.object(); o["field"] == "" {
				break
			}
			if r == nil {
				r, line = row{}, d.line()
			}
			r[o["field"]] = o["value"]
		case '[':
			err = d.array()
		default:
			if err = d.d.SkipValue(); err == nil {
				err = d.warn(d.line(), "not a log event or a row of a query: passed over")
			}
		}
	}
	if err == nil {
		_, err = d.d.ReadToken()
	}
	if err == nil && r != nil {
		d.rows++
		err = d.give(r.event(line))
	}
	return err
}

func (d *documents) give(e Event) error {
	if !d.emit(e) {
		return errStop
	}
	return nil
}

func (d *documents) warn(line int, format string, args ...any) error {
	if !d.yield(Event{}, bad(d.name, line, format, args...)) {
		return errStop
	}
	return nil
}

// maxPayload bounds the size of an unpacked payload. A subscription's has at most 6 MB.
const maxPayload = 64 << 20

// payload reads what a subscription sends: a gzipped document in base64.
func (d *documents) payload(text string) error {
	plain, closeIt, err := unpacked(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	var data []byte
	if err == nil {
		defer closeIt()
		data, err = io.ReadAll(io.LimitReader(plain, maxPayload+1))
	}
	if err != nil || len(data) > maxPayload {
		return d.warn(d.line(), "data that is not base64, is cut off, or unpacks to more than %d MB: passed over", maxPayload>>20)
	}
	if !isDocument(data[:min(len(data), headBytes)]) {
		return nil
	}
	return d.within(data, "", d.line())
}

// within reads a document that is a value in another document.
func (d *documents) within(data []byte, stream string, line int) error {
	h := &held{in: bytes.NewReader(data)}
	in := &documents{name: d.name, in: h, d: jsontext.NewDecoder(h, tolerant...), base: line - 1, stream: stream, emit: d.emit, yield: d.yield}
	err := in.all()
	if err != nil && !errors.Is(err, errStop) {
		err = fmt.Errorf("reading what is packed here: %w", err)
	}
	return err
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

// lists are the members of objects that hold events or rows, as many as there may be.
var lists = []string{"events", "logEvents", "results", "Records", "records"}

// object reads an object, and gives the event that it is or has. It returns the members that are text or numbers.
func (d *documents) object() (text row, err error) {
	outer, text, others := d.stream, row{}, map[string]jsontext.Value{}
	defer func() { d.stream = outer }()
	for _, err = d.d.ReadToken(); err == nil && d.d.PeekKind() != '}'; d.in.reset() {
		var name jsontext.Token
		if name, err = d.d.ReadToken(); err != nil {
			break
		}
		switch key, kind := name.String(), d.d.PeekKind(); {
		case kind == '[' && slices.Contains(lists, key) && (key != "logEvents" || d.stream != ""):
			err = d.array()
		case kind == '{' && (key == "awslogs" || key == "kinesis"):
			_, err = d.object()
		case kind == '"' || kind == '0':
			var value jsontext.Token
			if value, err = d.d.ReadToken(); err == nil {
				text[key] = value.String()
			}
			d.stream = cmp.Or(text["logStream"], outer)
		default:
			var value jsontext.Value
			value, err = d.d.ReadValue()
			others[key] = value.Clone()
		}
	}
	if err == nil {
		_, err = d.d.ReadToken()
	}
	if err == nil {
		err = d.close(text, others, d.line())
	}
	return text, err
}

// close gives the event that an object is, or warns if a response is incomplete.
func (d *documents) close(text row, others map[string]jsontext.Value, line int) error {
	kind, message, status, isCell := text["type"], text["message"], text["status"], text["field"] != ""
	e := Event{Line: line, Stream: cmp.Or(text["logStreamName"], d.stream)}
	switch {
	case others["logEvents"].Kind() == '[': // they came before the name of their stream
		return d.within(others["logEvents"], e.Stream, line)
	case others["record"].Kind() == '{' && strings.HasPrefix(kind, "platform."):
		e.Message = `{"type":` + strconv.Quote(kind) + `,"record":` + string(others["record"]) + `}`
		e.Time = timeOf(text["time"])
		return d.give(e)
	case slices.ContainsFunc(slices.Collect(maps.Keys(text)), isField):
		d.rows++
		return d.give(text.event(line))
	case message != "" && !isCell:
		if logline.KindOf(message) == logline.KindOther && !strings.Contains(message, string(phases)) {
			return nil
		}
		e.Message, e.Time, e.alone = message, timeOf(text["timestamp"]), text["eventId"]+text["id"] == ""
		return d.give(e)
	case text["data"] != "":
		return d.payload(text["data"])
	case text["nextToken"]+text["NextToken"] != "":
		return d.warn(line, "the answer ends with a token for more: ask for the rest, which is not here")
	case status != "" && status != "Complete" && !isCell && kind == "":
		return d.warn(line, "the query's status is %s, so these are not all its results: "+
			"get them again when it is Complete", status)
	}
	return nil
}
