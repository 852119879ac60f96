package importer

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// Lines turns the lines of logs into records, in their order. It keeps what one line says of the next.
type Lines struct {
	Options Options

	crashed map[string]bool  // log streams whose environment died
	phases  map[string]*told // by log stream
}

// told is what a bootstrap wrote of the invocation under way.
type told struct {
	init, event map[string]float64
	requestID   string // of the event
}

// Event is a line of a log. Time and stream are zero where they are not known.
type Event struct {
	Time    time.Time
	Stream  string
	Message string
}

// Record is the record of a REPORT line, nil for any other line. With an error there may be a record too: it is marked.
func (l *Lines) Record(e Event) (*record.Record, error) {
	if p, ok := logline.ParsePhases(e.Message); ok {
		l.keep(e.Stream, p)
		return nil, nil
	}
	report, err := logline.ParseReport(e.Message)
	if errors.Is(err, logline.ErrNotReport) {
		return nil, nil
	}
	r := l.Options.record()
	r.LogStream, r.RequestID = e.Stream, report.RequestID
	if !e.Time.IsZero() {
		r.StartedAt = e.Time.UTC()
	}
	r.InitDurationMs, r.RestoreDurationMs, r.DurationMs = report.InitDurationMs, report.RestoreDurationMs, report.DurationMs
	r.BilledDurationMs, r.MaxMemoryUsedMB = report.BilledDurationMs, report.MaxMemoryUsedMB
	if report.MemorySizeMB != nil {
		r.MemorySizeMB = *report.MemorySizeMB
	}
	r.Start = record.Warm
	if r.InitDurationMs != nil || r.RestoreDurationMs != nil {
		r.Start = record.Cold
	}
	if p := l.phases[e.Stream]; p != nil {
		delete(l.phases, e.Stream)
		if r.Start == record.Cold {
			r.InitPhasesMs = p.init
		}
		if p.requestID == r.RequestID {
			r.EventPhasesMs = p.event
		}
	}
	switch {
	case err != nil:
		r.Marked = record.BadReport.With(strings.ReplaceAll(err.Error(), "\n", "; "))
	case report.Status != "" || report.ErrorType != "":
		r.Marked = record.FunctionFailed
		r.FunctionError = strings.TrimSpace(report.Status + " " + report.ErrorType)
	case l.crashed[e.Stream] && r.Start == record.Warm:
		r.Marked = record.AfterCrash
	}
	if e.Stream != "" {
		if l.crashed == nil {
			l.crashed = map[string]bool{}
		}
		l.crashed[e.Stream] = report.Crashed()
	}
	return r, err
}

// keep remembers phases until the REPORT of their invocation, which comes after them.
func (l *Lines) keep(stream string, p logline.Phases) {
	if l.phases == nil {
		l.phases = map[string]*told{}
	}
	t := l.phases[stream]
	if t == nil {
		t = new(told)
		l.phases[stream] = t
	}
	if p.Of == logline.PhasesOfInit {
		t.init = p.Ms
	} else {
		t.event, t.requestID = p.Ms, p.RequestID
	}
}

// maxLine bounds a line: a function may print anything.
const maxLine = 1 << 20

func reportLines(r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		lines := Lines{Options: o}
		in := bufio.NewReaderSize(r, 64<<10)
		var buf []byte
		for n := 1; ; n++ {
			buf = buf[:0]
			var err error
			for {
				var part []byte
				part, err = in.ReadSlice('\n')
				buf = append(buf, part[:min(len(part), maxLine-len(buf))]...)
				if !errors.Is(err, bufio.ErrBufferFull) {
					break
				}
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, err)
				return
			}
			rec, problem := lines.Record(split(strings.TrimRight(string(buf), "\r\n")))
			if problem != nil && !yield(nil, bad(name, n, "%w", problem)) {
				return
			}
			if rec != nil && !yield(rec, nil) {
				return
			}
			if err != nil {
				return
			}
		}
	}
}

// split takes time and log stream from before a line, as aws logs tail writes them; what is absent is zero.
func split(line string) Event {
	e := Event{Message: line}
	if strings.HasPrefix(line, "{") { // JSON log format: the time is in the event
		var event struct {
			Time time.Time `json:"time"`
		}
		if json.Unmarshal([]byte(line), &event) == nil {
			e.Time = event.Time
		}
		return e
	}
	first, rest, ok := strings.Cut(line, " ")
	if !ok {
		return e
	}
	t, err := time.Parse(time.RFC3339Nano, first)
	if err != nil {
		return e
	}
	e.Time, e.Message = t, rest
	if stream, rest, ok := strings.Cut(rest, " "); ok && strings.Contains(stream, "[") && strings.Contains(stream, "]") {
		e.Stream, e.Message = stream, rest
	}
	return e
}
