package power

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/measure/power/step"
)

// Request is the input of the function, from a state.
type Request struct {
	Step      step.Name       `json:"step"`
	Execution string          `json:"execution"` // ARN of the execution, or any unique text
	Input     json.RawMessage `json:"input"`     // of the execution
	Plan      *Plan           `json:"plan,omitempty"`
	Group     *Group          `json:"group,omitempty"`
	Progress  *GroupProgress  `json:"progress,omitempty"`
	Measured  []Measured      `json:"measured,omitempty"`
	Output    *Output         `json:"output,omitempty"`
	Detail    *status         `json:"detail,omitempty"`  // EventBridge says that an execution ended; all else is empty
	Stopped   bool            `json:"stopped,omitempty"` // for clean: the last step of the stopped execution may still run
}

// status is what EventBridge says about an execution that has ended.
type status struct {
	ExecutionARN string `json:"executionArn"`
	Input        string `json:"input"` // absent above 248 KiB, which no valid input has
}

// Measured is the answer of step.Execute: Progress while there is more to measure, else a Value for each power
// value of the group.
type Measured struct {
	More     bool           `json:"more"`
	Progress *GroupProgress `json:"progress,omitempty"`
	Calls    int            `json:"calls,omitempty"`
	Values   []Value        `json:"values,omitempty"`
}

// Steps runs the steps of a state machine.
type Steps struct {
	Tuner
	Defaults Defaults
	// Margin is how long before its deadline a step stops and asks to be called again; 0 means 20 s.
	Margin time.Duration
	// Quiet is how long clean waits after an execution was stopped, before it looks for what the last step made
	// meanwhile; 0 means 10 s.
	Quiet time.Duration
}

// Handle runs one step. Its answer becomes the output of the state; its error becomes the cause of the execution's
// failure.
func (s *Steps) Handle(ctx context.Context, r Request) (any, error) {
	if d := r.Detail; d != nil {
		r = Request{Step: step.Clean, Execution: d.ExecutionARN, Input: []byte(d.Input), Stopped: true}
	}
	in, err := ParseInput(r.Input, s.Defaults)
	if r.Step == step.Clean {
		if err != nil { // the tuning never began
			return nil, nil //nolint:nilerr // the step initialise has reported the mistakes
		}
		return nil, s.stepClean(ctx, in, r)
	}
	if err != nil {
		return nil, err
	}
	if r.Step == step.Initialise {
		m, err := s.begin(ctx, Candidate{Input: in}, executionID(r.Execution))
		if err != nil {
			return nil, err
		}
		if plan := m.plan; plan.Cold && plan.Distributed {
			plan.Warnings = append(plan.Warnings, fmt.Sprintf("more than %d cold starts: power values were measured one "+
				"after the other, not in turns; twinstart tune takes turns with any number", MaxInlineInvocations))
		}
		return m.plan, nil
	}
	if r.Plan == nil {
		return nil, fmt.Errorf("step %q without a plan", r.Step)
	}
	f, err := s.function(ctx, in, r.Plan.ID) // in a distributed Map the execution is a child of the tuning's
	if err != nil {
		return nil, err
	}
	switch r.Step {
	case step.Publish:
		err := r.Plan.publish(ctx, f, s.until(ctx, time.Minute), nil)
		if err == nil && r.Plan.Unpublished && r.Plan.Publishes >= maxPublish {
			err = fmt.Errorf("publishing %s: %d of %d versions after %d calls",
				f.Name, len(r.Plan.Versions), len(r.Plan.Powers), r.Plan.Publishes)
		}
		return r.Plan, err
	case step.Execute:
		return s.execute(ctx, f, in, r)
	case step.Analyse:
		var calls []int
		var values []Value
		for _, m := range r.Measured {
			calls, values = append(calls, m.Calls), append(values, m.Values...)
		}
		return analyse(in, r.Plan, values, s.prices(), r.Plan.Transitions(calls))
	case step.Optimise:
		if r.Output == nil {
			return nil, errors.New("step optimise without an output")
		}
		if err := optimise(ctx, f, in, r.Output); err != nil {
			done := cmp.Or(r.Output.Optimised, "nothing was changed")
			return nil, fmt.Errorf("autoOptimize: %w (the analysis is valid: %d MB; %s)", err, r.Output.Power, done)
		}
		return r.Output, nil
	}
	return nil, fmt.Errorf("unknown step %q", r.Step)
}

// ErrorName returns the name that a state machine's Retry and Catch can match: InputError, FunctionBusy,
// FunctionChanged, NothingMeasured, the code of an AWS error such as AccessDeniedException, or TuningFailed.
func ErrorName(err error) string {
	switch {
	case errors.As(err, new(*InputError)):
		return "InputError"
	case errors.Is(err, ErrBusy):
		return "FunctionBusy"
	case errors.Is(err, measure.ErrForeign):
		return "FunctionChanged"
	case errors.Is(err, ErrNothingMeasured):
		return "NothingMeasured"
	}
	return cmp.Or(measure.Code(err), "TuningFailed")
}

// stepClean cleans up. Stopping an execution does not stop its last step, which runs until it finds that the
// function is no longer marked. So stepClean looks again until nothing is left.
func (s *Steps) stepClean(ctx context.Context, in Input, r Request) error {
	id := executionID(r.Execution)
	if r.Plan != nil {
		id = r.Plan.ID
	}
	if id == "" {
		return errors.New("step clean without an execution")
	}
	f, err := s.function(ctx, in, id)
	if err != nil {
		return err
	}
	for range 20 {
		found, err := f.clean(ctx)
		if measure.Code(err) == "ResourceNotFoundException" { // without the function there is nothing to clean
			break
		}
		if err != nil {
			return fmt.Errorf("cleaning up: %w", err)
		}
		if !r.Stopped {
			break
		}
		if err := measure.Sleep(ctx, cmp.Or(s.Quiet, 10*time.Second)); err != nil {
			return err
		}
		if !found {
			break
		}
	}
	return nil
}

// executionID returns the names of the state machine and the execution from an ARN. Together they are unique in an
// account and region.
func executionID(execution string) string {
	parts := strings.Split(execution, ":")
	return strings.Join(parts[max(0, len(parts)-2):], ":")
}

// execute measures a group of power values until it is done or the time is up.
func (s *Steps) execute(ctx context.Context, f *function, in Input, r Request) (*Measured, error) {
	if r.Group == nil || len(r.Group.Powers) == 0 {
		return nil, errors.New("step execute without a group of power values")
	}
	if err := s.payloads(ctx, &in); err != nil {
		return nil, err
	}
	g := r.Progress
	if g == nil {
		g = &GroupProgress{}
		for _, power := range r.Group.Powers {
			g.Powers = append(g.Powers, &Progress{Power: power, Course: Course{Failed: r.Plan.Refused[power]}})
		}
	}
	g.Calls++
	m := &measurer{Candidate: Candidate{Input: in}, t: &s.Tuner, f: f, plan: r.Plan, progress: g.Powers, begun: time.Now()}
	if deadline, ok := ctx.Deadline(); ok {
		m.last = deadline.Add(-s.margin() / 2)
	}
	all := m.series()
	rounds := &rounds{all: all, seed: r.Plan.Seed, limit: len(all), until: s.until(ctx, 0)}
	if err := rounds.measure(ctx, in, r.Plan.Cold, r.Plan.Num); err != nil {
		return nil, err
	}
	for _, p := range g.Powers {
		if p.Failed == "" && p.Done < r.Plan.Num {
			if g.Calls < MaxCalls {
				return &Measured{More: true, Progress: g}, nil
			}
			p.Failed = fmt.Sprintf("only %d of %d invocations fit into %d calls of %v", p.Done, r.Plan.Num, MaxCalls, maxStep)
		}
	}
	return &Measured{Calls: g.Calls, Values: m.values()}, nil
}

// maxStep is Lambda's longest time-out, which the function of the steps has.
const maxStep = 15 * time.Minute

// until returns the time after which a step starts no new work, if a piece of work takes as long as piece. It returns
// zero if there is no deadline.
func (s *Steps) until(ctx context.Context, piece time.Duration) time.Time {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Time{}
	}
	return deadline.Add(-s.margin() - piece)
}

func (s *Steps) margin() time.Duration { return cmp.Or(s.Margin, 20*time.Second) }
