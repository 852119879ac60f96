package power

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

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
Lambda: %s for each 100 ms that an invocation is billed, %s at most (every one times out)
time:   %s for each 100 ms that an invocation takes, %s at most, and what publishing takes
a state machine's transitions would cost %s
`, strings.Join(names, ", "), values, invocations, calls, money(currency, 6, each), money(currency, 4, most),
		takes(100*time.Millisecond), takes(longest), money(currency, 6, steps)), nil
}
