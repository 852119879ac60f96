package power

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// maxParallel is the number of invocations that run at the same time with parallelInvocation.
const maxParallel = 100

// attempts is how often an invocation with a function error is tried before its power value can fail, as in Power
// Tuning. While more invocations have succeeded than failed, it is tried maxAttempts times.
const (
	attempts    = 3
	maxAttempts = 10
)

// failure is the reason why an invocation measures nothing: the memory is too small, the function timed out, or it
// reported an error. Any other error ends the tuning.
type failure struct {
	why    string
	report *logline.Report
	final  bool // another try would fail in the same way
}

func (f *failure) Error() string { return f.why }

// errOutOfTime means that the end of the step cut an invocation off. The next step takes it again.
var errOutOfTime = errors.New("the step's time is up")

// measurer measures a candidate. While it measures, its methods may run at the same time.
type measurer struct {
	Candidate
	t        *Tuner
	f        *function
	plan     *Plan
	progress []*Progress // of the power values that it measures
	begun    time.Time   // start of the step that measures; in one process it is zero, and so is last
	last     time.Time   // time at which an invocation is cut off
	output   *Output     // the result; nil before it is known, or if no value could be measured

	now *measure.Config // $LATEST, if versions are published for cold starts
	mu  sync.Mutex      // guards the progress while invocations run in parallel
}

// begin plans the tuning of a candidate. It checks everything that can be known before anything is changed.
func (t *Tuner) begin(ctx context.Context, c Candidate, id string) (*measurer, error) {
	m := &measurer{Candidate: c, t: t}
	err := t.payloads(ctx, &m.Input)
	if err == nil {
		m.f, err = t.function(ctx, m.Input, id)
	}
	if err == nil {
		m.plan, err = initialise(ctx, m.f, m.Input, id, t.Region)
	}
	if err != nil {
		return nil, err
	}
	if t.Seed != 0 {
		m.plan.shuffle(m.Input.PowerValues, t.Seed)
	}
	for _, power := range m.plan.Powers {
		m.progress = append(m.progress, &Progress{Power: power})
	}
	return m, nil
}

// values returns the results of all power values.
func (m *measurer) values() (all []Value) {
	rate, _ := rateOf(m.t.prices(), m.plan)
	for _, p := range m.progress {
		all = append(all, p.value(m.Input, rate))
	}
	return all
}

// place is the position of an invocation in the rounds. Both numbers start at 1.
type place struct{ round, order int }

// once measures one invocation. It tries again after a function error, until errors are the rule.
func (m *measurer) once(ctx context.Context, p *Progress, at place, event []byte) error {
	for tries := 1; ; tries++ {
		err := m.try(ctx, p, at, event)
		f, failed := errors.AsType[*failure](err)
		if !failed {
			return err
		}
		m.mu.Lock()
		p.count(f)
		rule := p.FunctionErrors > p.Done || tries >= maxAttempts
		done := p.Done
		m.mu.Unlock()
		switch {
		case f.final:
			return f
		case tries >= attempts && rule:
			return &failure{why: fmt.Sprintf("%s (%d times in a row, at invocation %d)", f.why, tries, done+1)}
		}
	}
}

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

// take adds the result of an invocation to the progress.
func (m *measurer) take(p *Progress, s measure.Sample, rec record.Record) error {
	if s.Tail.Report == nil { // a proxy may give the call an ID of its own
		s.Read(&rec, "")
	}
	if s.Tail.Problem != nil {
		return s.Tail.Problem
	}
	var failed error
	if s.Failed {
		var document struct{ ErrorType, ErrorMessage string }
		json.Unmarshal(s.Response, &document) //nolint:errcheck // then it has no message
		if !slices.Contains(m.Input.AllowedExceptions, document.ErrorType) || document.ErrorType == "" {
			failed = &failure{why: reason(p.Power, s.Tail.Report, document.ErrorType, document.ErrorMessage), report: s.Tail.Report}
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
	switch {
	case r != nil && r.Status == "timeout" || strings.Contains(message, "Task timed out after"):
		_, after, _ := strings.Cut(message, "Task timed out after ")
		return measure.OneLine("timed out after "+after, 100)
	case r != nil && r.MaxMemoryUsedMB != nil && *r.MaxMemoryUsedMB >= power && (kind == "Runtime.ExitError" || kind == "Runtime.OutOfMemory"):
		return fmt.Sprintf("out of memory: it used all of its %d MB", power)
	case kind == "" && message == "":
		return "function error without a message"
	}
	return measure.OneLine(strings.Trim(kind+": "+message, ": "), 200)
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

// invoke invokes the function. An invocation that takes longer than a whole step is a failure of the power value.
// If it began late in the step, the next step takes it again.
func (m *measurer) invoke(ctx context.Context, qualifier string, event []byte, rec *record.Record) (s measure.Sample, n measure.Troubles, err error) {
	limited, cancel := ctx, func() {}
	if !m.last.IsZero() {
		limited, cancel = context.WithDeadline(ctx, m.last)
	}
	defer cancel()
	began := time.Now()
	n, err = m.f.Again(limited, func() (err error) {
		s, err = measure.Take(limited, m.f.API, &lambda.InvokeInput{FunctionName: &m.f.Name, Qualifier: &qualifier, Payload: event}, m.Input.Streamed, rec)
		return err
	})
	switch {
	case err == nil || ctx.Err() != nil || limited.Err() == nil:
		return s, n, err
	case began.Sub(m.begun) > m.last.Sub(m.begun)/10:
		return s, n, errOutOfTime
	}
	why := fmt.Sprintf("an invocation outlasts the step that measures, %v", maxStep)
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
		// If the tuning was stopped and cleaned up, it must not go on. Only the first change may find no marker.
		if mark, _ := markerOf(now.Description); mark.id != "" && mark.id != m.f.id {
			return "", fmt.Errorf("%s: %w", m.f.Name, measure.ErrForeign)
		}
		m.now = now
	}
	version, now, err := m.f.publish(ctx, m.now, p.Power, marker{m.f.id, m.plan.Memory, int(time.Now().UnixMicro())})
	m.now = now // nil after an error: look again
	return version, err
}

// note puts a failure of the power value into the progress. It returns any other error, which ends the tuning.
func (p *Progress) note(err error) error {
	if f, failed := errors.AsType[*failure](err); failed {
		p.Failed, err = cmp.Or(p.Failed, f.why), nil
	}
	return err
}

// count counts a failed invocation, and what it cost.
func (p *Progress) count(f *failure) {
	p.FunctionErrors++
	p.LastError = f.why
	if r := f.report; r != nil {
		if r.MaxMemoryUsedMB != nil {
			p.MaxMemoryUsedMB = max(p.MaxMemoryUsedMB, *r.MaxMemoryUsedMB)
		}
		if r.BilledDurationMs != nil {
			p.FailedMs += *r.BilledDurationMs
		}
	}
}
