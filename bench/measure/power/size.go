package power

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm/list"
)

// MaxStateBytes is Step Functions' limit for a state's input or output.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const MaxStateBytes = 262_144

// Limits of this package.
const (
	// MaxInlineInvocations is the most invocations for which all power values are measured in the same rounds,
	// because every duration goes from state to state. With more, each value has its own execution, and so its own
	// history and state.
	MaxInlineInvocations = 1000
	// MaxCalls is the most calls of the step's function for one group.
	MaxCalls   = 1000
	maxPublish = 130 // most calls of the step that publishes
)

// valueBytes is the most that one power value's result takes in the state that collects all results.
const valueBytes = 1700

// room returns how many bytes an input may have, so that the results of its power values have room beside it.
func room(powers int) int { return min(maxInput, MaxStateBytes-8<<10-powers*valueBytes) }

// size decides how a state machine runs the plan.
func (p *Plan) size() {
	p.Groups = []Group{{p.Powers}}
	if p.Distributed = p.Num*len(p.Powers) > MaxInlineInvocations; p.Distributed {
		p.Groups = list.Map(p.Powers, func(power int) Group { return Group{[]int{power}} })
	}
	p.Concurrency = len(p.Groups)
	if p.Cold { // cold starts publish versions of one function, one after the other
		p.Concurrency = 1
	}
	p.Unpublished = !p.Cold
}

// Transitions returns the number of state transitions that the plan is billed for: every state that is entered,
// given the calls for each group. Retries are not included.
func (p *Plan) Transitions(calls []int) int {
	n := 1 + 2*max(p.Publishes, 1) + 1 + 3 // Initialise, Publish and Published?, Measure, then Clean, Analyse, Optimise
	for _, c := range calls {
		n += 2*c + 1 // Execute and Done?, Measured
		if p.Distributed {
			n++ // the start of the group's execution
		}
	}
	return n
}

// Estimate says in words what a tuning will take. It reads the functions' configurations and changes nothing.
func (t *Tuner) Estimate(ctx context.Context, candidates []Candidate, id string) (string, error) {
	jobs, err := t.jobs(ctx, candidates, id)
	if err != nil {
		return "", err
	}
	var (
		names                      []string
		values, invocations, calls int           // calls are those to Lambda's control plane, without those that only wait
		each, most, steps          float64       // cost: for 100 ms of each invocation, if each times out, of a state machine
		longest                    time.Duration // time-out
		currency                   string
	)
	for _, j := range jobs {
		p := j.plan
		rate, _ := rateOf(t.prices(), p)
		versions := len(p.Powers)
		if p.Cold {
			versions *= p.Num
		}
		// Each version takes an update, a look, a publication, two looks and a deletion. Before and after that there
		// are two looks, a list, an update and a look.
		calls += 6*versions + 5
		names, values, invocations = append(names, p.Function), values+len(p.Powers), invocations+p.Num*len(p.Powers)
		for _, power := range p.Powers {
			each += float64(p.Num) * rate.Invocation(power, 100)
			most += float64(p.Num) * rate.Invocation(power, float64(p.TimeoutSeconds)*1000)
		}
		steps += rate.Transition * float64(p.Transitions(slices.Repeat([]int{1}, len(p.Groups))))
		longest, currency = max(longest, time.Duration(p.TimeoutSeconds)*time.Second), rate.Currency
	}
	in, atOnce := jobs[0].Input, min(max(1, t.Beside), values)
	switch {
	case in.OnlyColdStarts:
		atOnce = 1
	case in.Parallel:
		atOnce = min(invocations, maxParallel)
	}
	takes := func(one time.Duration) time.Duration {
		one += time.Duration(in.SleepMs) * time.Millisecond
		return (time.Duration((invocations+atOnce-1)/atOnce) * one).Round(time.Second)
	}
	return fmt.Sprintf(`%s: %d power values, %d invocations, about %d control-plane calls
Lambda: %s for each 100 ms that an invocation is billed, %s at most (if each times out)
time:   %s for each 100 ms that an invocation takes, %s at most, and the time for publishing
a state machine's transitions would cost %s
`, strings.Join(names, ", "), values, invocations, calls, money(currency, 6, each), money(currency, 4, most),
		takes(100*time.Millisecond), takes(longest), money(currency, 6, steps)), nil
}
