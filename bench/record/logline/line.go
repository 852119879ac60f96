package logline

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/twinstart/twinstart/arm/counts"
)

// Kind is the kind of a log line.
type Kind int

// The platform's lines about a start or an invocation. Every other line is KindOther.
const (
	KindOther Kind = iota
	KindInitStart
	KindInitReport
	KindRestoreReport
	KindStart
	KindEnd // END in text, platform.runtimeDone in JSON: REPORT is next
	KindReport
)

// Line is a parsed line of a log.
type Line struct {
	Kind      Kind
	RequestID string    // of KindStart, KindEnd and KindReport
	Report    Report    // of KindReport
	Time      time.Time // JSON only

	// Of INIT and restore:
	InitializationType string // on-demand, provisioned-concurrency, snap-start, ...; JSON only
	Phase              string // init; invoke if INIT ran again within an invocation
	Status             string // "" or success; error or timeout otherwise
}

// Failed reports whether INIT or a restore did not succeed, so that the next invocation runs INIT again within its
// Duration.
func (l Line) Failed() bool { return l.Status != "" && l.Status != "success" }

// heads lists how the platform's lines begin in the text format. A function can print the same words anywhere else.
var heads = []struct {
	text string
	kind Kind
}{
	{"REPORT RequestId:", KindReport}, {"START RequestId:", KindStart}, {"END RequestId:", KindEnd},
	{"INIT_START ", KindInitStart}, {"INIT_REPORT ", KindInitReport}, {"RESTORE_REPORT ", KindRestoreReport},
}

// KindOf returns a line's kind by its beginning, which is fast. It returns KindReport for JSON, which must be parsed.
func KindOf[T string | []byte](line T) Kind {
	if len(line) > 0 && line[0] == '{' {
		return KindReport
	}
	for _, h := range heads {
		if len(line) >= len(h.text) && string(line[:len(h.text)]) == h.text {
			return h.kind
		}
	}
	return KindOther
}

// Parse parses a line of the platform, text or JSON. Anything before Lambda's own first word makes it a line of the
// function, of KindOther. An error is about a number of a REPORT; the rest of the REPORT is still parsed.
func Parse(line string) (Line, error) {
	kind := KindOf(line)
	switch {
	case kind == KindOther:
		return Line{}, nil
	case line[0] == '{':
		return parseJSON(line)
	case kind == KindReport:
		return parseText(line)
	}
	l := Line{Kind: kind}
	for i, f := range fields(line) {
		switch {
		case i == 0 && strings.HasSuffix(f.key, " RequestId"):
			l.RequestID = f.value
		case f.key == "Phase":
			l.Phase = f.value
		case f.key == "Status":
			l.Status = f.value
		}
	}
	if (kind == KindStart || kind == KindEnd) && l.RequestID == "" {
		return Line{}, nil
	}
	return l, nil
}

// sampled translates the text form's value of Sampled into the tracing header's.
var sampled = map[string]string{"true": "1", "false": "0"}

func parseText(line string) (Line, error) {
	r := Report{}
	var problems []error
	figures := r.Figures()
	for i, f := range fields(line[len("REPORT "):]) {
		switch f.key {
		case "RequestId":
			if i == 0 {
				r.RequestID = f.value
			}
		case "Status":
			r.Status = f.value
		case "Error Type":
			r.ErrorType = f.value
		case "Sampled":
			r.Sampled = sampled[f.value]
		case "":
			problems = append(problems,
				fmt.Errorf("REPORT has %q, which belongs to no field: the line was cut off or is not Lambda's", f.value))
		default:
			if k := slices.IndexFunc(figures, func(g Figure) bool { return g.Text == f.key }); k >= 0 {
				problems = append(problems, f.read(figures[k]))
			}
		}
	}
	bad := errors.Join(problems...)
	if r.RequestID == "" || r.DurationMs == nil && bad == nil {
		return Line{}, nil // a function may print the word REPORT, too
	}
	return Line{Kind: KindReport, RequestID: r.RequestID, Report: r}, bad
}

// platformEvent is an event of Lambda's JSON log format.
// See https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html.
type platformEvent struct {
	Time   string         `json:"time"`
	Type   string         `json:"type"`
	Record jsontext.Value `json:"record"`
}

// platformRecord holds the useful members of the records of all types.
type platformRecord struct {
	RequestID          string         `json:"requestId"`
	Status             string         `json:"status"`
	ErrorType          string         `json:"errorType"`
	InitializationType string         `json:"initializationType"`
	Phase              string         `json:"phase"`
	Metrics            map[string]any `json:"metrics"`
	Tracing            struct {
		Value string `json:"value"`
	} `json:"tracing"`
}

var types = map[string]Kind{
	"platform.report": KindReport, "platform.start": KindStart, "platform.runtimeDone": KindEnd,
	"platform.initStart": KindInitStart, "platform.initReport": KindInitReport,
	"platform.restoreReport": KindRestoreReport,
}

func parseJSON(s string) (Line, error) {
	var e platformEvent
	var r platformRecord
	is := func(s []byte, v any) bool { return json.Unmarshal(s, v) == nil }
	// A tail may begin in the middle of a line, and a function may print the word platform.
	if !strings.Contains(s, `platform.`) || !is([]byte(s), &e) || types[e.Type] == KindOther || !is(e.Record, &r) {
		return Line{}, nil
	}
	kind := types[e.Type]
	l := Line{Kind: kind, RequestID: r.RequestID, Phase: r.Phase, Status: r.Status}
	l.InitializationType = r.InitializationType
	l.Time, _ = time.Parse(time.RFC3339Nano, e.Time)
	switch kind {
	case KindStart, KindEnd:
		if l.RequestID == "" {
			return Line{}, nil
		}
	case KindReport:
		if _, has := r.Metrics["durationMs"].(float64); r.RequestID == "" || !has {
			return Line{}, nil
		}
		var err error
		l.Report, err = r.report()
		return l, err
	}
	return l, nil
}

func (e *platformRecord) report() (Report, error) {
	var problems []error
	r := Report{RequestID: e.RequestID, Status: e.Status, ErrorType: e.ErrorType}
	for _, f := range r.Figures() {
		if x, has := e.Metrics[f.JSON].(float64); has {
			problems = append(problems, f.Set("platform.report has "+f.JSON, x))
		}
	}
	if r.Status == "success" {
		r.Status = "" // as in the text form, which has no status unless something went wrong
	}
	_, r.Sampled, _ = strings.Cut(e.Tracing.Value, "Sampled=")
	r.Sampled, _, _ = strings.Cut(r.Sampled, ";")
	return r, errors.Join(problems...)
}

// Tail is what the end of an invocation's log says. Report is nil if the tail has no REPORT of that invocation.
// Emulators may leave it out, and a function that prints much just before it dies can push it out of the tail.
type Tail struct {
	Report  *Report
	Lab     *counts.Line
	Problem error // numbers of the REPORT that cannot be used

	InitPhases, EventPhases map[string]float64 // moments in ms, if the bootstrap timed itself

	Init  bool          // the log has the beginning of INIT
	Ahead time.Duration // from the end of INIT to the beginning of the invocation, if a JSON log has both
}

// Awaited bounds the time from INIT to the invocation that waited for it: milliseconds, with a large margin.
const Awaited = time.Second

// ParseTail looks for REPORT and lab.report of the invocation requestID; "" means any. The last of each counts, because
// Lambda writes REPORT after everything that the function prints.
func ParseTail(tail, requestID string) Tail {
	var t Tail
	var inited, started time.Time
	for line := range strings.Lines(tail) {
		line = strings.TrimRight(line, "\r\n")
		if l, ok := ParseLab(line); ok && (requestID == "" || l.RequestID == requestID) {
			t.Lab = &l
			continue
		}
		if t.phases(line, requestID) {
			continue
		}
		l, problem := Parse(line)
		switch {
		case l.Kind == KindInitStart:
			inited = l.Time
		case l.Kind == KindStart:
			started = l.Time
		case l.Kind == KindReport && (requestID == "" || l.RequestID == requestID):
			t.Report, t.Problem = &l.Report, problem
			continue
		}
		// X-Ray's part comes on the same line or on the next.
		if strings.HasPrefix(line, "XRAY TraceId:") && t.Report != nil && t.Report.Sampled == "" {
			for _, f := range fields(line) {
				if f.key == "Sampled" {
					t.Report.Sampled = sampled[f.value]
				}
			}
		}
	}
	t.Init = !inited.IsZero()
	if !inited.IsZero() && !started.IsZero() && t.Report != nil && t.Report.InitDurationMs != nil {
		t.Ahead = started.Sub(inited) - time.Duration(*t.Report.InitDurationMs*float64(time.Millisecond))
	}
	return t
}
