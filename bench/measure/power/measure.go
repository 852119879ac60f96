package power

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/bench/record/logline"
)

// maxParallel is how many invocations of one power value run at once with parallelInvocation.
const maxParallel = 100

// patience is how long an invocation is tried again while Lambda throttles it.
const patience = 10 * time.Minute

// failure is a power value that cannot be measured on: too small, timed out, or what the function itself reports. Any other error
// ends the tuning.
type failure struct {
	why    string
	report *logline.Report
}

func (f *failure) Error() string { return f.why }

// measurer invokes the function.
type measurer struct {
	f    *function
	in   Input
	plan *Plan
	name string                                 // of the function among several
	last time.Time                              // an invocation that has not ended by then outlasts the step; zero where there is no such time
	now  *lambda.GetFunctionConfigurationOutput // $LATEST, where cold starts publish
	mu   sync.Mutex                             // of parallel invocations
	cold int                                    // versions made for cold starts
}

// once measures one invocation.
func (m *measurer) once(ctx context.Context, p *Progress, event []byte) error {
	qualifier := alias(m.plan.ID, p.Power)
	if m.plan.Cold {
		version, err := m.freshVersion(ctx, p)
		if err != nil {
			return err
		}
		qualifier = version
		defer m.f.drop(context.WithoutCancel(ctx), version) //nolint:errcheck // clean deletes what stays
	}
	event, err := m.preprocess(ctx, event)
	if err != nil {
		return err
	}
	out, throttles, err := m.invokeUntil(ctx, m.last, qualifier, event)
	if err != nil {
		return m.explain(fmt.Errorf("invoking %s at %d MB: %w", m.f.name, p.Power, brief(err)), event)
	}
	if m.in.SleepMs > 0 && !m.in.Parallel {
		if err := sleep(ctx, time.Duration(m.in.SleepMs)*time.Millisecond); err != nil {
			return err
		}
	}
	if err := m.process(ctx, "postProcessorARN", m.in.PostProcessor, out.Payload); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p.Throttles += throttles
	return m.take(p, out)
}

// take reads what came of an invocation.
func (m *measurer) take(p *Progress, out *lambda.InvokeOutput) error {
	tail, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		return fmt.Errorf("reading the log tail of %s: %w", m.f.name, err)
	}
	requestID, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
	found := logline.ParseTail(string(tail), requestID)
	if found.Report == nil {
		found = logline.ParseTail(string(tail), "") // a proxy may give the call an ID of its own
	}
	if len(found.Problems) > 0 {
		return errors.Join(found.Problems...)
	}
	if out.FunctionError != nil {
		var document struct{ ErrorType, ErrorMessage string }
		json.Unmarshal(out.Payload, &document) //nolint:errcheck // then it says nothing
		if !slices.Contains(m.in.AllowedExceptions, document.ErrorType) || document.ErrorType == "" {
			return &failure{reason(p.Power, found.Report, document.ErrorType, document.ErrorMessage), found.Report}
		}
		p.Allowed++
	}
	return p.add(found.Report)
}

// reason is why an invocation failed, in words.
func reason(power int, r *logline.Report, kind, message string) string {
	switch {
	case r != nil && r.Status == "timeout" || strings.Contains(message, "Task timed out after"):
		_, after, _ := strings.Cut(message, "Task timed out after ")
		return oneLine("timed out after "+after, 100)
	case r != nil && r.MaxMemoryUsedMB != nil && *r.MaxMemoryUsedMB >= power && (kind == "Runtime.ExitError" || kind == "Runtime.OutOfMemory"):
		return fmt.Sprintf("out of memory: it used all of its %d MB", power)
	case kind == "" && message == "":
		return "function error without a message"
	}
	return oneLine(strings.Trim(kind+": "+message, ": "), 200)
}

func (m *measurer) preprocess(ctx context.Context, event []byte) ([]byte, error) {
	if m.in.PreProcessor == "" {
		return event, nil
	}
	out, err := m.processor(ctx, "preProcessorARN", m.in.PreProcessor, event)
	if err != nil || len(out) == 0 || string(out) == "null" || string(out) == `""` {
		return event, err
	}
	return out, nil
}

func (m *measurer) process(ctx context.Context, field, target string, event []byte) error {
	if target == "" {
		return nil
	}
	_, err := m.processor(ctx, field, target, event)
	return err
}

// processor invokes a pre- or post-processor; its failure ends the tuning, for what follows would measure something else.
func (m *measurer) processor(ctx context.Context, field, target string, event []byte) ([]byte, error) {
	out, _, err := m.invoke(ctx, target, "", event)
	if err == nil && out.FunctionError != nil {
		err = errors.New(oneLine(string(out.Payload), 200))
	}
	if err != nil {
		return nil, m.explain(fmt.Errorf("%s %s: %w", field, target, brief(err)), event)
	}
	return out.Payload, nil
}

// explain adds the event to an error, unless that was asked not to be.
func (m *measurer) explain(err error, event []byte) error {
	if m.in.DisablePayloadLogs {
		return err
	}
	return fmt.Errorf("%w (payload %s)", err, oneLine(string(event), 200))
}

// invokeUntil invokes the function. Where that takes longer than the step that measures has, it is the power value's failure.
func (m *measurer) invokeUntil(ctx context.Context, last time.Time, qualifier string, event []byte) (*lambda.InvokeOutput, int, error) {
	if last.IsZero() {
		return m.invoke(ctx, m.f.name, qualifier, event)
	}
	limited, cancel := context.WithDeadline(ctx, last)
	defer cancel()
	out, throttles, err := m.invoke(limited, m.f.name, qualifier, event)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		why := fmt.Sprintf("an invocation outlasts the step that measures, %v", maxStep)
		if throttles > 0 {
			why += fmt.Sprintf(" (throttled %d times)", throttles)
		}
		return nil, throttles, &failure{why: why}
	}
	return out, throttles, err
}

// invoke invokes once, and again while Lambda throttles: a throttled call never ran. The SDK's own retries are off, for they would run
// a function twice whose connection broke.
func (m *measurer) invoke(ctx context.Context, name, qualifier string, event []byte) (out *lambda.InvokeOutput, throttles int, err error) {
	in := &lambda.InvokeInput{FunctionName: &name, Payload: event, LogType: types.LogTypeTail}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	give := time.Now().Add(patience)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		out, err = m.f.api.Invoke(ctx, in, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} })
		switch code(err) {
		case "TooManyRequestsException", "ThrottlingException", "EC2ThrottledException":
		default:
			return out, throttles, err
		}
		if throttles++; time.Now().After(give) {
			return nil, throttles, err
		}
		if err := sleep(ctx, pause/2+rand.N(pause)); err != nil {
			return nil, throttles, err
		}
	}
}

// freshVersion publishes a version that nobody has invoked: its first invocation is a cold start.
func (m *measurer) freshVersion(ctx context.Context, p *Progress) (string, error) {
	if m.now == nil {
		now, err := m.f.settle(ctx, "", "")
		if err != nil {
			return "", err
		}
		// A tuning that was stopped is cleaned up after: it must not go on. Only the first change may find no marker.
		if mark, marked := markerOf(now.Environment); marked && mark.ID != m.plan.ID {
			return "", fmt.Errorf("%s: %w", m.f.name, ErrForeign)
		}
		m.now = now
	}
	m.cold++
	version, now, err := m.f.publish(ctx, m.now, p.Power, Marker{ID: m.plan.ID, Memory: m.plan.Memory, N: p.Power*1_000_000 + p.Done + m.cold})
	if err != nil {
		return "", err
	}
	m.now = now
	return version, nil
}

// note takes a failure of the power value into the progress; any other error ends the tuning.
func (p *Progress) note(err error) error {
	var f *failure
	if !errors.As(err, &f) {
		return err
	}
	p.fail(f)
	return nil
}

func (p *Progress) fail(f *failure) {
	if p.Failed == "" {
		p.Failed = f.why
		if p.Done > 0 {
			p.Failed = fmt.Sprintf("%s (invocation %d)", f.why, p.Done+1)
		}
	}
	if f.report != nil && f.report.MaxMemoryUsedMB != nil {
		p.MaxMemoryMB = max(p.MaxMemoryMB, *f.report.MaxMemoryUsedMB)
	}
	if f.report != nil && f.report.BilledDurationMs != nil {
		p.FailedMs += *f.report.BilledDurationMs
		p.FailedN++
	}
}
