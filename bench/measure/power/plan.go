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

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
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
	Cold           bool             `json:"cold"`                  // each invocation publishes its own version
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

// initialise plans a tuning. It reads the function's configuration, refuses what cannot be tuned, and changes nothing.
func initialise(ctx context.Context, f *function, in Input, id, region string) (*Plan, error) {
	c, err := f.Settle(ctx, "", "")
	if err != nil {
		return nil, err
	}
	if m, _ := markerOf(c.Description); m.id != "" && m.id != f.id {
		return nil, fmt.Errorf("%s %w: wait until that ends, or if it was killed, run "+
			"`twinstart tune --function %[1]s --clean`", f.Name, ErrBusy)
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
			return nil, fmt.Errorf("%s:%s differs from $LATEST in %s, and only $LATEST can be tuned: "+
				"deploy the same to $LATEST, or tune %s", f.Name, in.Qualifier, strings.Join(other, ", "), f.Name)
		}
	}
	architecture := cmp.Or(arm.Architecture(measure.DeployedOf(c).Architecture), arm.X8664) // Lambda's default
	p := &Plan{
		ID: id, Function: f.Name, Num: in.Num, Cold: in.OnlyColdStarts, Warnings: in.Warnings,
		Memory: int(aws.ToInt32(c.MemorySize)), TimeoutSeconds: int(aws.ToInt32(c.Timeout)), Architecture: architecture,
		PackageType: string(c.PackageType), Region: cmp.Or(in.Region, region),
		Versions: map[int]string{}, Refused: map[int]string{},
	}
	h := fnv.New32a()
	h.Write([]byte(id))
	p.shuffle(in.PowerValues, h.Sum32())
	p.size()
	return p, nil
}

// ErrBusy means that another tuning holds the function.
var ErrBusy = errors.New("is being tuned by somebody else")

// tunable refuses functions without a memory of their own, and functions whose single invocations say nothing about
// their cost.
func tunable(name string, c *measure.Config) error {
	switch {
	case c.CapacityProviderConfig != nil:
		return fmt.Errorf("%s runs on Lambda Managed Instances: you pay for instances, not for invocations, "+
			"so invoking it cannot tune its memory; choose the capacity provider's instance types", name)
	case c.DurableConfig != nil:
		return fmt.Errorf("%s is a durable function: an execution has several invocations, "+
			"and a single one does not show what an execution costs; tune a copy without DurableConfig", name)
	}
	return nil
}

// identity returns the function's identity in records. Without an arm it has the function's name.
func (p *Plan) identity(c Candidate) arm.Identity {
	id := c.Identity
	id.Arm = cmp.Or(id.Arm, c.Name, p.Function[strings.LastIndex(p.Function, ":")+1:])
	id.Package = cmp.Or(id.Package, arm.Package(strings.ToLower(p.PackageType)))
	id.Architecture = p.Architecture
	return id
}

// shuffle chooses the order in which power values are published.
func (p *Plan) shuffle(powers []int, seed uint32) {
	order := schedule.Order(uint64(seed), schedule.Power, 0, len(powers))
	p.Seed, p.Powers = seed, list.Map(order, func(i int) int { return powers[i] })
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
			now, err = f.Settle(ctx, "", "") // the next change can also begin at the failed one
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
