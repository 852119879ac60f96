package importer

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
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
		if d.d.PeekKind() == 0 {
			if _, err := d.d.ReadToken(); !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		}
		if err := d.value(); err != nil {
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
	if _, err := d.d.ReadToken(); err != nil {
		return err
	}
	line := 0
	var r row
	for d.d.PeekKind() != ']' {
		d.in.reset()
		switch d.d.PeekKind() {
		case '{':
			o, err := d.object()
			if err != nil {
				return err
			}
			if field := o.text["field"]; field != "" {
				if r == nil {
					r, line = row{}, d.line()
				}
				r[field] = o.text["value"]
			}
		case '[':
			if err := d.array(); err != nil {
				return err
			}
		default:
			if d.d.PeekKind() == 0 {
				_, err := d.d.ReadToken()
				return err
			}
			if err := d.d.SkipValue(); err != nil {
				return err
			}
			if err := d.warn(d.line(), "not a log event or a row of a query: passed over"); err != nil {
				return err
			}
		}
	}
	if _, err := d.d.ReadToken(); err != nil {
		return err
	}
	if r != nil {
		d.rows++
		return d.give(r.event(line))
	}
	return nil
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
func (d *documents) payload() error {
	text, err := d.text()
	if err != nil {
		return err
	}
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

// object holds the useful members of a JSON object: a row's cell, an event of Lambda, or an event of a log.
type object struct {
	text      row // members with text or numbers
	record    string
	isRow     bool
	numbered  bool           // it has an eventId, as in filter-log-events, whose events may be of many streams
	more      bool           // it has a token for the next page
	logEvents jsontext.Value // log events that came before the name of their stream
	line      int
}

// texts lists the names of useful members, apart from those of a row.
var texts = []string{"field", "value", "type", "time", "message", "logStream", "logStreamName", "timestamp", "status"}

func (d *documents) object() (o object, err error) {
	o.text = row{}
	if _, err = d.d.ReadToken(); err != nil {
		return o, err
	}
	outer := d.stream
	defer func() { d.stream = outer }()
	for d.d.PeekKind() != '}' {
		var name jsontext.Token
		if name, err = d.d.ReadToken(); err != nil {
			return o, err
		}
		if err = d.member(&o, name.String()); err != nil {
			return o, err
		}
		d.in.reset()
	}
	if _, err = d.d.ReadToken(); err != nil {
		return o, err
	}
	o.line = d.line()
	return o, d.close(&o)
}

func (d *documents) member(o *object, name string) (err error) {
	switch kind := d.d.PeekKind(); {
	case (kind == '"' || kind == '0') && slices.Contains(texts, name):
		o.text[name], err = d.text()
		if name == "logStream" {
			d.stream = o.text[name]
		}
	case kind == '[' && name == "logEvents" && d.stream == "":
		v, err := d.d.ReadValue()
		o.logEvents = v.Clone()
		return err
	case kind == '[' && (name == "events" || name == "logEvents" || name == "results" || name == "Records" || name == "records"):
		return d.array()
	case kind == '{' && (name == "awslogs" || name == "kinesis"):
		_, err = d.object()
	case kind == '"' && name == "data":
		return d.payload()
	case kind == '"' && (name == "nextToken" || name == "NextToken"):
		o.more = true
		return d.d.SkipValue()
	case name == "eventId" || name == "id":
		o.numbered = true
		return d.d.SkipValue()
	case kind == '{' && name == "record":
		v, err := d.d.ReadValue()
		o.record = string(v)
		return err
	case strings.HasPrefix(name, "@") || strings.HasPrefix(name, "record."):
		o.isRow = true
		o.text[name], err = d.text()
	default:
		return d.d.SkipValue()
	}
	return err
}

// text returns a string or a number as text, and "" for anything else.
func (d *documents) text() (string, error) {
	switch d.d.PeekKind() {
	case '"', '0':
		t, err := d.d.ReadToken()
		if err != nil {
			return "", err
		}
		return t.String(), nil
	}
	return "", d.d.SkipValue()
}

// close yields the event that an object is, or warns if a response is incomplete.
func (d *documents) close(o *object) error {
	stream, kind, message, status := cmp.Or(o.text["logStreamName"], o.text["logStream"]), o.text["type"], o.text["message"], o.text["status"]
	switch {
	case o.logEvents != nil:
		return d.within(o.logEvents, stream, o.line)
	case o.record != "" && strings.HasPrefix(kind, "platform."):
		return d.give(Event{Message: `{"type":` + strconv.Quote(kind) + `,"record":` + o.record + `}`, Time: timeOf(o.text["time"]), Line: o.line, Stream: d.stream})
	case o.isRow:
		d.rows++
		return d.give(o.text.event(o.line))
	case message != "" && o.text["field"] == "":
		e := Event{Message: message, Time: timeOf(o.text["timestamp"]), Line: o.line, Stream: cmp.Or(stream, d.stream), alone: !o.numbered}
		if logline.KindOf(e.Message) == logline.KindOther && !strings.Contains(e.Message, string(phases)) {
			return nil
		}
		return d.give(e)
	case o.more:
		return d.warn(o.line, "the answer ends with a token for more: ask for the rest, which is not here")
	case status != "" && status != "Complete" && o.text["field"] == "" && kind == "":
		return d.warn(o.line, "the query's status is %s, so these are not all its results: get them again when it is Complete", status)
	}
	return nil
}
