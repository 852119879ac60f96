package power

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/measure/schedule"
)

// Plan says what a tuning will do. It goes from state to state as JSON, so it stays small.
type Plan struct {
	ID             string           `json:"id"`
	Function       string           `json:"function"`
	Powers         []int            `json:"powers"` // MB, in the order of publishing
	Num            int              `json:"num"`
	Seed           uint32           `json:"seed"` // of the order in every round
	Memory         int              `json:"memory"`
	TimeoutSeconds int              `json:"timeoutSeconds"`
	Architecture   arm.Architecture `json:"architecture"`
	PackageType    string           `json:"packageType,omitempty"` // Zip or Image; "" if Lambda did not say
	Region         string           `json:"region"`                // "" if it is not known
	Cold           bool             `json:"cold"`                  // each invocation has its own version; nothing is published beforehand
	Versions       map[int]string   `json:"versions"`              // that are published, by power value
	Refused        map[int]string   `json:"refused"`               // power values that the function cannot have, and why
	Warnings       []string         `json:"warnings,omitempty"`

	// These say how a state machine runs it.
	Groups      []Group `json:"groups"` // the items of its Map
	Unpublished bool    `json:"unpublished"`
	Distributed bool    `json:"distributed"`
	Concurrency int     `json:"concurrency"` // groups at the same time
	Publishes   int     `json:"publishes"`   // times that Publish was called
}

// Group is a set of power values that are measured in the same rounds.
type Group struct {
	Powers []int `json:"powers"` // MB
}

// initialise plans a tuning. It checks what only the function's own configuration can tell, and changes nothing.
func initialise(ctx context.Context, f *function, in Input, id, region string) (*Plan, error) {
	c, err := f.Settle(ctx, "", "")
	if err != nil {
		return nil, err
	}
	if m, _ := markerOf(c.Description); m.id != "" && m.id != f.id {
		return nil, &Busy{f.Name}
	}
	if err := cmp.Or(tunable(f.Name, c), f.describable(c)); err != nil {
		return nil, err
	}
	if in.Qualifier != "" && in.Qualifier != "$LATEST" {
		q, err := f.Look(ctx, in.Qualifier)
		if err != nil {
			return nil, err
		}
		if other := measure.Differences(q, c); len(other) > 0 {
			return nil, fmt.Errorf("%s:%s has other %s than $LATEST, and only $LATEST can be published with another memory: "+
				"deploy that, or tune %s", f.Name, in.Qualifier, strings.Join(other, ", "), f.Name)
		}
	}
	architecture := arm.X8664 // Lambda's default
	if len(c.Architectures) > 0 {
		architecture = arm.Architecture(c.Architectures[0])
	}
	if in.Region != "" {
		region = in.Region
	}
	p := &Plan{
		ID: id, Function: f.Name, Num: in.Num, Memory: int(aws.ToInt32(c.MemorySize)), TimeoutSeconds: int(aws.ToInt32(c.Timeout)),
		Architecture: architecture, PackageType: string(c.PackageType), Region: region, Cold: in.OnlyColdStarts, Warnings: in.Warnings,
		Versions: map[int]string{}, Refused: map[int]string{},
	}
	h := fnv.New32a()
	h.Write([]byte(id))
	p.shuffle(in.PowerValues, h.Sum32())
	p.size()
	return p, nil
}

// Busy means that another tuning holds the function.
type Busy struct{ function string }

func (e *Busy) Error() string {
	return fmt.Sprintf("%s is being tuned by somebody else: wait for its end, or if that was killed run `twinstart tune --function %[1]s --clean`", e.function)
}

// tunable refuses functions that have no memory of their own, or whose single invocations say nothing about their
// cost.
func tunable(name string, c *measure.Config) error {
	switch {
	case c.CapacityProviderConfig != nil:
		return fmt.Errorf("%s runs on Lambda Managed Instances, whose instances are paid for and shared by invocations: memory is not tuned by invoking; choose the capacity provider's instance types", name)
	case c.DurableConfig != nil:
		return fmt.Errorf("%s is a durable function, whose executions span invocations: one invocation's duration and cost are not theirs; tune a copy without DurableConfig", name)
	}
	return nil
}

// identity returns what the function is in records: an arm, or else its name.
func (p *Plan) identity(c Candidate) arm.Identity {
	id := c.Identity
	id.Arm = cmp.Or(id.Arm, c.Name, p.Function[strings.LastIndex(p.Function, ":")+1:])
	if id.Package == "" {
		id.Package = arm.Package(strings.ToLower(p.PackageType))
	}
	id.Architecture = p.Architecture
	return id
}

// shuffle chooses the order in which power values are published.
func (p *Plan) shuffle(powers []int, seed uint32) {
	p.Seed, p.Powers = seed, nil
	for _, i := range schedule.Order(uint64(seed), schedule.Power, 0, len(powers)) {
		p.Powers = append(p.Powers, powers[i])
	}
}

// publish makes a version for each power value until all are made or the time is up. Unpublished says whether any are
// left.
func (p *Plan) publish(ctx context.Context, f *function, until time.Time, observe func(power int)) error {
	p.Publishes++
	if p.Unpublished = false; p.Cold {
		return nil
	}
	base, err := f.Settle(ctx, "", "")
	if err != nil {
		return err
	}
	if m, _ := markerOf(base.Description); m.id != f.id && (m.id != "" || len(p.Versions) > 0) {
		return fmt.Errorf("%s: %w", f.Name, measure.ErrForeign) // or the tuning was stopped and cleaned up
	}
	first := true
	for _, power := range p.Powers {
		if p.Versions[power] != "" || p.Refused[power] != "" {
			continue
		}
		if p.Unpublished = !first && !until.IsZero() && time.Now().After(until); p.Unpublished {
			return nil
		}
		first = false
		version, now, err := f.publish(ctx, base, power, marker{f.id, p.Memory, power})
		if refused, is := errors.AsType[*failure](err); is {
			p.Refused[power] = refused.why
			now, err = f.Settle(ctx, "", "") // the configuration that failed can be used, too
		} else if err == nil {
			p.Versions[power] = version
		}
		if now == nil {
			return err
		}
		if base = now; observe != nil {
			observe(power)
		}
	}
	return nil
}

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

// room is the number of bytes that an input may have beside the results of its power values.
func room(powers int) int { return min(maxInput, MaxStateBytes-8<<10-powers*valueBytes) }

// size decides how a state machine runs the plan.
func (p *Plan) size() {
	p.Distributed = p.Num*len(p.Powers) > MaxInlineInvocations
	if p.Distributed {
		for _, power := range p.Powers {
			p.Groups = append(p.Groups, Group{[]int{power}})
		}
	} else {
		p.Groups = []Group{{p.Powers}}
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
			n++ // the start of its own execution
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
Lambda: %s for each 100 ms that an invocation is billed, %s at most (every one times out)
time:   %s for each 100 ms that an invocation takes, %s at most, and what publishing takes
a state machine's transitions would cost %s
`, strings.Join(names, ", "), values, invocations, calls, money(currency, 6, each), money(currency, 4, most),
		takes(100*time.Millisecond), takes(longest), money(currency, 6, steps)), nil
}
