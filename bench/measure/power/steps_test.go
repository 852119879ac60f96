package power

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinstart/twinstart/bench/measure/power/step"
	"github.com/twinstart/twinstart/lab/api/double"
	"github.com/twinstart/twinstart/tools/need"
)

// machine stands for the state machine: it carries JSON from state to state, and counts the states that it enters.
type machine struct {
	steps       *Steps
	input       string
	transitions int
	largest     int // bytes of a state's input or output
	trace       []step.Name
	stop        int // stop after this many steps; 0 means never
}

var errStopped = errors.New("stopped")

const execution = "arn:aws:states:eu-west-1:123456789012:execution:Tuning:run-1"

func (m *machine) call(ctx context.Context, r Request, into any) error {
	if m.stop > 0 && len(m.trace) == m.stop {
		return errStopped
	}
	m.trace = append(m.trace, r.Step)
	m.transitions++
	r.Execution, r.Input = execution, json.RawMessage(m.input)
	in, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var received Request
	if err := json.Unmarshal(in, &received); err != nil {
		return err
	}
	out, err := m.steps.Handle(ctx, received)
	if err != nil {
		return err
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	m.largest = max(m.largest, len(text), len(in))
	return json.Unmarshal(text, into)
}

// run goes through the states in the order that infra/powertuning defines.
func (m *machine) run(ctx context.Context) (*Output, *Plan, error) {
	var plan Plan
	if err := m.call(ctx, Request{Step: step.Initialise}, &plan); err != nil {
		return nil, nil, err
	}
	for {
		if err := m.call(ctx, Request{Step: step.Publish, Plan: &plan}, &plan); err != nil {
			return nil, nil, err
		}
		m.transitions++ // Published?
		if !plan.Unpublished {
			break
		}
	}
	m.transitions++ // Measure
	var measured []Measured
	for _, group := range plan.Groups {
		var got Measured
		if plan.Distributed {
			m.transitions++
		}
		for {
			r := Request{Step: step.Execute, Plan: &plan, Group: &group, Progress: got.Progress}
			got = Measured{}
			if err := m.call(ctx, r, &got); err != nil {
				return nil, nil, err
			}
			m.transitions++ // Done?
			if !got.More {
				break
			}
		}
		m.transitions++ // Measured
		measured = append(measured, got)
	}
	var cleaned map[string]bool
	if err := m.call(ctx, Request{Step: step.Clean, Plan: &plan}, &cleaned); err != nil {
		return nil, nil, err
	}
	var out Output
	if err := m.call(ctx, Request{Step: step.Analyse, Plan: &plan, Measured: measured}, &out); err != nil {
		return nil, nil, err
	}
	return &out, &plan, m.call(ctx, Request{Step: step.Optimise, Output: &out, Plan: &plan}, &out)
}

func (m *machine) count(of step.Name) (n int) {
	for _, s := range m.trace {
		if s == of {
			n++
		}
	}
	return n
}

func newMachine(s *server, input string) *machine {
	return &machine{steps: &Steps{Tuner: *tuner(s), Quiet: time.Millisecond}, input: input}
}

func TestTheStepsMakeATuning(t *testing.T) {
	s := newServer(t)
	m := newMachine(s, `{"lambdaARN": "F", "num": 10, "powerValues": [128, 512, 1769], "strategy": "speed"}`)
	out, plan, err := m.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.untouched(t)
	if out.Power != 1769 || len(out.ByPowerValue) != 3 || out.ByPowerValue[0].Invocations != 10 {
		t.Errorf("want 1769 MB chosen of 3 values, after 10 invocations each: %+v", out)
	}
	if out.StateMachine.Transitions != m.transitions || math.Abs(out.StateMachine.ExecutionCost-0.000025*float64(m.transitions)) > 1e-12 {
		t.Errorf("the output has %d transitions, %d were made; plan %+v", out.StateMachine.Transitions, m.transitions, plan)
	}
}

// A step that runs out of time is continued by the next, and nothing is measured twice or lost.
func TestStepsContinueEachOther(t *testing.T) {
	for _, parallel := range []bool{false, true} {
		s := newServer(t)
		s.Before = func(double.Call) { time.Sleep(3 * time.Millisecond) }
		m := newMachine(s, fmt.Sprintf(`{"lambdaARN": "F", "num": 120, "powerValues": [128, 512], "parallelInvocation": %v, "payload": [{"payload": 1, "weight": 1}, {"payload": 2, "weight": 3}]}`, parallel))
		m.steps.Margin = 29_930 * time.Millisecond // so a step measures for 70 ms of its 30 s
		m.steps.Poll = time.Millisecond
		out, _, err := m.run(deadlines{t.Context(), 30 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		s.untouched(t)
		for _, v := range out.ByPowerValue {
			if v.Invocations != 120 || v.Duration.N != 120 || v.ColdStarts != 1 {
				t.Errorf("parallel %v: got %+v", parallel, v)
			}
		}
		if n := m.count(step.Execute); n < 2 && !parallel {
			t.Errorf("%d call measured everything, want 2 or more", n)
		}
		if !parallel && (s.events()["1"] != 60 || s.events()["2"] != 180) {
			t.Errorf("events %v", s.events())
		}
		if out.StateMachine.Transitions != m.transitions {
			t.Errorf("the output has %d transitions, %d were made", out.StateMachine.Transitions, m.transitions)
		}
	}
}

// deadlines is a context that never ends. Its deadline is always the same time away, because each call of a Lambda
// function has a deadline of its own.
type deadlines struct {
	context.Context
	each time.Duration
}

func (d deadlines) Deadline() (time.Time, bool) { return time.Now().Add(d.each), true }

// The user stops the execution, once after each state. EventBridge then calls the clean-up with the input as text.
func TestStoppedAtEveryState(t *testing.T) {
	states := map[step.Name]bool{}
	for stop := 1; ; stop++ {
		s := newServer(t)
		m := newMachine(s, `{"lambdaARN": "F", "num": 5, "powerValues": [128, 512]}`)
		m.stop = stop
		_, _, err := m.run(t.Context())
		states[m.trace[len(m.trace)-1]] = true
		event, _ := json.Marshal(map[string]any{"detail-type": "Step Functions Execution Status Change", "source": "aws.states",
			"detail": map[string]any{"executionArn": execution, "status": "ABORTED", "input": m.input, "stopDate": 1}})
		var r Request
		if err := json.Unmarshal(event, &r); err != nil {
			t.Fatal(err)
		}
		if _, err := m.steps.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		s.untouched(t)
		if err == nil {
			break
		}
		if !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
	}
	if len(states) != 6 {
		t.Errorf("stopped after the states %v, want 6 states", states)
	}
}

// Stopping an execution does not stop the step that is running. Here the clean-up comes during each of the step's calls
// in turn.
func TestStoppedWithinAStep(t *testing.T) {
	need.Time(t)
	for _, input := range []string{`{"lambdaARN": "F", "num": 5, "powerValues": [128, 512]}`, `{"lambdaARN": "F", "num": 5, "powerValues": [128], "onlyColdStarts": true}`} {
		met := 0
		for at := 3; at < 30; at++ {
			s := newServer(t)
			m := newMachine(s, input)
			m.steps.Quiet = 20 * time.Millisecond
			var n atomic.Int64 // calls; some come at the same time
			cleaned := make(chan error, 1)
			s.Before = func(double.Call) {
				if int(n.Add(1)) == at {
					_, err := m.steps.Handle(context.Background(), Request{Step: step.Clean, Execution: execution, Input: json.RawMessage(input), Stopped: true})
					cleaned <- err
				}
			}
			m.run(t.Context()) // with an error or without
			if int(n.Load()) >= at {
				met++
				if err := <-cleaned; err != nil {
					t.Errorf("at call %d: %v", at, err)
				}
			}
			m.steps.Handle(t.Context(), Request{Step: step.Clean, Execution: execution, Input: json.RawMessage(input), Stopped: true})
			s.untouched(t)
		}
		if met < 10 {
			t.Errorf("%s: only %d clean-ups came during a step", input, met)
		}
	}
}

// A clean-up that fails returns its error at once. EventBridge invokes it asynchronously, so Lambda tries twice more.
func TestCleanAfterAStopIsLambdasToRepeat(t *testing.T) {
	s := newServer(t)
	m := newMachine(s, `{"lambdaARN": "F", "num": 5, "powerValues": [128, 512]}`)
	m.stop = 2
	m.run(t.Context()) // errStopped
	s.Strike(&double.Fault{Operation: "UpdateFunctionConfiguration", Times: 2, Error: double.Denied("lambda:UpdateFunctionConfiguration")})
	for call := 1; call <= 3; call++ {
		_, err := m.steps.Handle(t.Context(), Request{Step: step.Clean, Execution: execution, Input: json.RawMessage(m.input), Stopped: true})
		if failed := err != nil; failed != (call < 3) {
			t.Errorf("call %d: %v", call, err)
		}
	}
	s.untouched(t)
}

func TestCleanWithoutATuning(t *testing.T) {
	s := newServer(t)
	steps := newMachine(s, "").steps
	for _, input := range []string{`5`, `{"lambdaARN": "H", "num": 5}`, `{"lambdaARN": "F", "num": 5}`} {
		if _, err := steps.Handle(t.Context(), Request{Step: step.Clean, Execution: execution, Input: json.RawMessage(input)}); err != nil {
			t.Errorf("%s: %v", input, err)
		}
	}
	// Without an execution it would clean up after all tunings.
	if _, err := steps.Handle(t.Context(), Request{Step: step.Clean, Input: json.RawMessage(`{"lambdaARN": "F", "num": 5}`)}); err == nil {
		t.Error("no error for a clean-up without an execution")
	}
	for _, r := range []Request{{Step: "x", Plan: &Plan{}}, {Step: step.Publish}, {Step: step.Optimise, Plan: &Plan{}}} {
		r.Execution, r.Input = execution, json.RawMessage(`{"lambdaARN": "F", "num": 5}`)
		if _, err := steps.Handle(t.Context(), r); err == nil {
			t.Errorf("%+v: no error", r)
		}
	}
}

// Power values take turns in the state machine too: each round invokes each value once, in random order. Parallel
// invocations overtake each other, so there one value may be further ahead.
func TestStepsTakeTurns(t *testing.T) {
	for _, parallel := range []bool{false, true} {
		s := newServer(t)
		m := newMachine(s, fmt.Sprintf(`{"lambdaARN": "F", "num": 20, "powerValues": [128, 256, 512, 1024], "parallelInvocation": %v}`, parallel))
		if _, _, err := m.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		furthest := 0
		for _, q := range s.invoked() {
			count[q]++
			furthest = max(furthest, count[q]-slices.Min(slices.Collect(maps.Values(count))))
		}
		if len(count) != 4 || !parallel && furthest > 1 || parallel && furthest > 15 {
			t.Errorf("parallel %v: invocations %v; one value was %d ahead of another", parallel, count, furthest)
		}
	}
}

// If an invocation takes longer than its step may, its power value fails, and the other values do not.
func TestAnInvocationOutlastsItsStep(t *testing.T) {
	need.Time(t)
	s := newServer(t)
	s.answer(func(r double.Run) double.Answer {
		if r.MemorySizeMB == 128 {
			time.Sleep(3 * time.Second)
		}
		return double.Working(r)
	})
	m := newMachine(s, `{"lambdaARN": "F", "num": 5, "powerValues": [128, 512]}`)
	m.steps.Margin = 2 * time.Millisecond
	out, _, err := m.run(deadlines{t.Context(), 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if v := out.ByPowerValue; !strings.Contains(v[0].Failed, "takes longer than the step") || v[1].Invocations != 5 || v[1].Failed != "" {
		t.Errorf("want only 128 MB to fail: %+v", v)
	}
	s.untouched(t)
}
