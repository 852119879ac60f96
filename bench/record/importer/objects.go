package importer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/twinstart/twinstart/bench/record/logline"
)

// object is what is of use in a JSON object of any of the kinds: a row's cell, an event of Lambda's own, an event of a log.
type object struct {
	text      row // members that are text or numbers
	record    string
	isRow     bool
	numbered  bool           // it has an eventId: of filter-log-events, which may be of many streams
	more      bool           // a token for the next page
	logEvents jsontext.Value // that stood before their stream
	line      int
}

// texts are the names of members that are of use, besides those of a row.
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

// text is a string or number as text, empty for anything else.
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

// close makes an event of an object that is one, and says what an answer says of itself.
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
