package power

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// Estimate says what a tuning will take. It is known before anything runs.
type Estimate struct {
	Function     string
	Powers       []int
	Invocations  int
	ControlCalls int // to Lambda's control plane, without those that only wait
	Currency     string
	Per100ms     float64       // cost of Lambda if each invocation is billed 100 ms
	AtMost       float64       // cost if each invocation times out
	Time100ms    time.Duration // of the invocations if each takes 100 ms
	TimeAtMost   time.Duration
	Steps        float64 // cost of a state machine's transitions
}

// Estimate reads the function's configuration and changes nothing.
func (t *Tuner) Estimate(ctx context.Context, in Input, id string) (*Estimate, error) {
	m, err := t.begin(ctx, Candidate{Input: in}, id)
	if err != nil {
		return nil, err
	}
	p := m.plan
	rate, _ := rateOf(t.prices(), p)
	e := &Estimate{Function: p.Function, Currency: rate.Currency, Powers: in.PowerValues, Invocations: p.Num * len(p.Powers)}
	versions := len(p.Powers)
	if p.Cold {
		versions *= p.Num
	}
	// Each version takes an update, a look, a publication, two looks and a deletion; each alias is made and
	// deleted. Before and after that there are two looks, two lists, an update and a look.
	e.ControlCalls = 6*versions + 6
	if !p.Cold {
		e.ControlCalls += 2 * versions
	}
	timeoutMs := float64(p.TimeoutSeconds) * 1000
	for _, power := range p.Powers {
		e.Per100ms += float64(p.Num) * rate.Invocation(power, 100)
		e.AtMost += float64(p.Num) * rate.Invocation(power, timeoutMs)
	}
	atOnce := min(max(1, t.Beside), len(p.Powers))
	switch {
	case p.Cold:
		atOnce = 1
	case in.Parallel:
		atOnce = min(p.Num, maxParallel)
	}
	one := time.Duration(in.SleepMs) * time.Millisecond
	turns := time.Duration((e.Invocations + atOnce - 1) / atOnce)
	e.Time100ms, e.TimeAtMost = turns*(one+100*time.Millisecond), turns*(one+time.Duration(p.TimeoutSeconds)*time.Second)
	e.Steps = rate.Transition * float64(p.Transitions(slices.Repeat([]int{1}, len(p.Groups))))
	return e, nil
}

// Add adds the estimate of another function. The invocations of several functions follow each other.
func (e *Estimate) Add(o *Estimate) {
	e.Function, e.Currency = "in all", o.Currency
	e.Powers = append(e.Powers, o.Powers...)
	e.Invocations += o.Invocations
	e.ControlCalls += o.ControlCalls
	e.Per100ms, e.AtMost, e.Steps = e.Per100ms+o.Per100ms, e.AtMost+o.AtMost, e.Steps+o.Steps
	e.Time100ms, e.TimeAtMost = e.Time100ms+o.Time100ms, e.TimeAtMost+o.TimeAtMost
}

// Write writes the estimate as text.
func (e *Estimate) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, `%s: %d power values, %d invocations, about %d control-plane calls
Lambda: %s for each 100 ms that an invocation is billed, %s at most (every one times out)
time:   %s for each 100 ms that an invocation takes, %s at most, and what publishing takes
a state machine's transitions would cost %s
`, e.Function, len(e.Powers), e.Invocations, e.ControlCalls, money(e.Currency, 6, e.Per100ms), money(e.Currency, 4, e.AtMost),
		e.Time100ms.Round(time.Second), e.TimeAtMost.Round(time.Second), money(e.Currency, 6, e.Steps))
	return err
}
