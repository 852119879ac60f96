package power

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

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
	Published      int              `json:"published"`             // number of Powers that are published, from the first
	Cold           bool             `json:"cold"`                  // each invocation has its own version; nothing is published beforehand
	Refused        map[int]string   `json:"refused,omitempty"`     // power values that the function cannot have, and why
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
func initialise(ctx context.Context, f *function, in Input, region string) (*Plan, error) {
	c, err := f.Settle(ctx, "", "")
	if err != nil {
		return nil, err
	}
	if m, marked := markerOf(c.Environment, c.Description); marked && m.ID != f.id {
		return nil, &Busy{f.Name, m.ID}
	}
	if err := tunable(f.Name, c); err != nil {
		return nil, err
	}
	var warnings []string
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
	if fixed(c.Environment) {
		warnings = append(warnings, "versions are told apart by their description, for the environment cannot be rewritten: "+why(c.Environment))
		if err := mark(&lambda.UpdateFunctionConfigurationInput{}, c, &Marker{ID: f.id, Memory: arm.MaxMemoryMB, N: MaxNum}); err != nil {
			return nil, err
		}
	}
	p := &Plan{ID: f.id, Function: f.Name, Num: in.Num, Memory: int(aws.ToInt32(c.MemorySize)), TimeoutSeconds: int(aws.ToInt32(c.Timeout)),
		Architecture: architecture, PackageType: string(c.PackageType), Region: region, Cold: in.OnlyColdStarts, Warnings: append(in.Warnings, warnings...)}
	h := fnv.New32a()
	h.Write([]byte(f.id))
	p.shuffle(in.PowerValues, h.Sum32())
	p.size()
	return p, nil
}

// Busy means that another tuning holds the function.
type Busy struct{ function, by string }

func (e *Busy) Error() string {
	return fmt.Sprintf("%s is being tuned by %s: wait for its end, or where that was killed run `twinstart tune --function %s --clean`", e.function, e.by, e.function)
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

// publish makes versions and aliases until all are made or the time is up. Unpublished says whether any are left.
func (p *Plan) publish(ctx context.Context, f *function, until time.Time, observe func(power int)) error {
	p.Publishes++
	if p.Cold {
		p.Published = len(p.Powers)
	}
	if p.Published == len(p.Powers) {
		p.Unpublished = false
		return nil
	}
	base, err := f.Settle(ctx, "", "")
	if err != nil {
		return err
	}
	if m, marked := markerOf(base.Environment, base.Description); marked && m.ID != p.ID || p.Published > len(p.Refused) && !marked {
		return fmt.Errorf("%s: %w", f.Name, measure.ErrForeign) // or the tuning was stopped and cleaned up
	}
	for p.Published < len(p.Powers) {
		power := p.Powers[p.Published]
		version, now, err := f.publish(ctx, base, power, Marker{ID: p.ID, Memory: p.Memory, N: p.Published + 1})
		var refused *failure
		switch {
		case errors.As(err, &refused):
			if p.Refused == nil {
				p.Refused = map[int]string{}
			}
			p.Refused[power] = refused.why
			if now, err = f.Settle(ctx, "", ""); now == nil { // the configuration that failed can be used, too
				return err
			}
		case err != nil:
			return err
		default:
			if err := f.point(ctx, alias(p.ID, power), version); err != nil {
				return err
			}
		}
		base = now
		p.Published++
		if observe != nil {
			observe(power)
		}
		if !until.IsZero() && time.Now().After(until) {
			break
		}
	}
	p.Unpublished = p.Published < len(p.Powers)
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
