package power

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// try invokes once.
func (m *measurer) try(ctx context.Context, p *Progress, at place, event []byte) error {
	qualifier := m.plan.Versions[p.Power]
	if m.plan.Cold {
		version, err := m.freshVersion(ctx, p)
		if err != nil {
			return err
		}
		qualifier = version
		defer m.f.Drop(context.WithoutCancel(ctx), version) //nolint:errcheck // clean deletes what is left
	}
	switch out, err := m.processor(ctx, "preProcessorARN", m.Input.PreProcessor, event); {
	case err != nil:
		return err
	case len(out) > 0 && string(out) != "null" && string(out) != `""`:
		event = out
	}
	rec := m.record(p, at)
	sample, troubles, err := m.invoke(ctx, qualifier, event, &rec)
	m.mu.Lock()
	p.Throttles += troubles.Throttles
	p.Retries += troubles.Others
	m.mu.Unlock()
	if err != nil {
		return m.explain(fmt.Errorf("invoking %s at %d MB: %w", m.f.Name, p.Power, measure.Brief(err)), event)
	}
	if m.Input.SleepMs > 0 && !m.Input.Parallel {
		if err := measure.Sleep(ctx, time.Duration(m.Input.SleepMs)*time.Millisecond); err != nil {
			return err
		}
	}
	if _, err := m.processor(ctx, "postProcessorARN", m.Input.PostProcessor, sample.Response); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.take(p, sample, rec)
}

// record returns the record of an invocation before it has run. In a record a power value is the arm's memory.
func (m *measurer) record(p *Progress, at place) record.Record {
	r := record.Record{RunID: m.plan.ID, Source: record.Source(m.t.source()), Round: at.round, Order: at.order}
	if r.Source == record.AWS {
		r.Region = m.plan.Region
	}
	r.Identify(m.plan.identity(m.Candidate))
	r.MemorySizeMB = p.Power
	return r
}

// take adds the result of an invocation to the progress, and writes its record.
func (m *measurer) take(p *Progress, s measure.Sample, rec record.Record) error {
	if s.Tail.Report == nil { // a proxy may have given the call another ID
		s.Read(&rec, "")
	}
	if s.Tail.Problem != nil {
		return s.Tail.Problem
	}
	var failed error
	if s.Failed {
		var e struct{ ErrorType, ErrorMessage string }
		json.Unmarshal(s.Response, &e) //nolint:errcheck // then it has no message
		if !slices.Contains(m.Input.AllowedExceptions, e.ErrorType) || e.ErrorType == "" {
			failed = &failure{why: reason(p.Power, s.Tail.Report, e.ErrorType, e.ErrorMessage), report: s.Tail.Report}
		} else {
			p.AllowedErrors++
			rec.Marked = ""
		}
	}
	if failed == nil {
		if err := p.add(s.Tail.Report); err != nil {
			return err
		}
	}
	if rec.Start == record.Cold {
		p.Environments++
	}
	rec.Environment = p.Environments
	if m.t.Records != nil {
		return cmp.Or(m.t.Records.Write(rec), failed)
	}
	return failed
}

// reason says in words why an invocation failed.
func reason(power int, r *logline.Report, kind, message string) string {
	killed := kind == "Runtime.ExitError" || kind == "Runtime.OutOfMemory"
	switch {
	case r != nil && r.Status == "timeout" || strings.Contains(message, "Task timed out after"):
		_, after, _ := strings.Cut(message, "Task timed out after ")
		return measure.OneLine("timed out after "+after, 100)
	case killed && r != nil && r.MaxMemoryUsedMB != nil && *r.MaxMemoryUsedMB >= power:
		return fmt.Sprintf("out of memory: it used all of its %d MB", power)
	case kind == "" && message == "":
		return "function error without a message"
	}
	return measure.OneLine(strings.Trim(kind+": "+message, ": "), 200)
}

// invoke invokes the function. If an invocation takes longer than a whole step, the power value fails. If it began late
// in the step and was cut off, the next step repeats it.
func (m *measurer) invoke(
	ctx context.Context, qualifier string, event []byte, rec *record.Record,
) (s measure.Sample, n measure.Troubles, err error) {
	limited, cancel := ctx, func() {}
	if !m.last.IsZero() {
		limited, cancel = context.WithDeadline(ctx, m.last)
	}
	defer cancel()
	began := time.Now()
	in := &lambda.InvokeInput{FunctionName: &m.f.Name, Qualifier: &qualifier, Payload: event}
	n, err = m.f.Again(limited, func() (err error) {
		s, err = measure.Take(limited, m.f.API, in, m.Input.Streamed, rec)
		return err
	})
	switch {
	case err == nil || ctx.Err() != nil || limited.Err() == nil:
		return s, n, err
	case began.Sub(m.begun) > m.last.Sub(m.begun)/10:
		return s, n, errOutOfTime
	}
	why := fmt.Sprintf("an invocation takes longer than the step that measures it, %v", maxStep)
	if n.Throttles > 0 {
		why += fmt.Sprintf(" (throttled %d times)", n.Throttles)
	}
	return s, n, &failure{why: why, final: true}
}

// freshVersion publishes a version that nobody has invoked, so its first invocation is a cold start.
func (m *measurer) freshVersion(ctx context.Context, p *Progress) (string, error) {
	if m.now == nil {
		now, err := m.f.Settle(ctx, "", "")
		if err != nil {
			return "", err
		}
		// Another tuning's marker means that this one was stopped and cleaned up: it must not go on.
		if mark, _ := markerOf(now.Description); mark.id != "" && mark.id != m.f.id {
			return "", fmt.Errorf("%s: %w", m.f.Name, measure.ErrForeign)
		}
		m.now = now
	}
	version, now, err := m.f.publish(ctx, m.now, p.Power, marker{m.f.id, m.plan.Memory, int(time.Now().UnixMicro())})
	m.now = now // nil after an error: look again
	return version, err
}

// processor invokes a pre- or post-processor. If that fails, the tuning ends, because anything after it would
// measure something else.
func (m *measurer) processor(ctx context.Context, field, target string, event []byte) (answer []byte, err error) {
	if target == "" {
		return nil, nil
	}
	client := m.f.API
	if found := arn.FindStringSubmatch(target); found != nil {
		if client, err = m.t.connect(ctx, found[2], m.Input.Role); err != nil {
			return nil, err
		}
	}
	_, err = m.f.Again(ctx, func() error {
		out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &target, Payload: event}, measure.Once)
		if err == nil && out.FunctionError != nil {
			err = errors.New(measure.OneLine(string(out.Payload), 200))
		} else if err == nil {
			answer = out.Payload
		}
		return err
	})
	if err != nil {
		return nil, m.explain(fmt.Errorf("%s %s: %w", field, target, measure.Brief(err)), event)
	}
	return answer, nil
}

// explain adds the event to an error, unless the input forbids it.
func (m *measurer) explain(err error, event []byte) error {
	if _, failed := errors.AsType[*failure](err); failed || m.Input.DisablePayloadLogs || errors.Is(err, errOutOfTime) {
		return err
	}
	return fmt.Errorf("%w (payload %s)", err, measure.OneLine(string(event), 200))
}
