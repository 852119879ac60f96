package importer

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/twinstart/twinstart/bench/record/logline"
)

// object is what is of use in a JSON object of any of the kinds.
type object struct {
	field, value    string // of a row's cell
	kind, at        string // of an event of Lambda's own
	record          string
	message, stream string
	timestamp       string
	status          string
	numbered        bool // it has an eventId: of filter-log-events, which may be of many streams
	more            bool // a token for the next page
	row             row
	logEvents       jsontext.Value // that stood before their stream
	line            int
}

func (d *documents) object() (o object, err error) {
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

// text is where a member of that name is kept, nil if nowhere.
func (o *object) text(name string) *string {
	switch name {
	case "field":
		return &o.field
	case "value":
		return &o.value
	case "type":
		return &o.kind
	case "time":
		return &o.at
	case "message":
		return &o.message
	case "logStream", "logStreamName":
		return &o.stream
	case "timestamp":
		return &o.timestamp
	case "status":
		return &o.status
	}
	return nil
}

func (d *documents) member(o *object, name string) (err error) {
	text := o.text(name)
	switch kind := d.d.PeekKind(); {
	case text != nil && (kind == '"' || kind == '0'):
		*text, err = d.text()
		if name == "logStream" {
			d.stream = o.stream
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
		if o.row == nil {
			o.row = row{}
		}
		o.row[name], err = d.text()
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
	switch {
	case o.logEvents != nil:
		return d.within(o.logEvents, o.stream, o.line)
	case o.record != "" && strings.HasPrefix(o.kind, "platform."):
		return d.give(Event{Message: `{"type":` + strconv.Quote(o.kind) + `,"record":` + o.record + `}`, Time: timeOf(o.at), Line: o.line, Stream: d.stream})
	case o.row != nil:
		d.rows++
		return d.give(o.row.event(o.line))
	case o.message != "" && o.field == "":
		e := Event{Message: o.message, Time: timeOf(o.timestamp), Line: o.line, Stream: cmp.Or(o.stream, d.stream), alone: !o.numbered}
		if logline.KindOf(e.Message) == logline.KindOther && !strings.Contains(e.Message, string(phases)) {
			return nil
		}
		return d.give(e)
	case o.more:
		return d.warn(o.line, "the answer ends with a token for more: ask for the rest, which is not here")
	case o.status != "" && o.status != "Complete" && o.field == "" && o.kind == "":
		return d.warn(o.line, "the query's status is %s, so these are not all its results: get them again when it is Complete", o.status)
	}
	return nil
}
