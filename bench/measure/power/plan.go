package power

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/twinstart/twinstart/arm"
)

// Plan is what a tuning is going to do. It goes from state to state as JSON, so it stays small.
type Plan struct {
	ID             string           `json:"id"`
	Function       string           `json:"function"`
	Powers         []int            `json:"powers"` // MB, in the order of publishing
	Num            int              `json:"num"`
	Seed           uint32           `json:"seed"` // of the order in every round
	Memory         int              `json:"memory"`
	TimeoutSeconds int              `json:"timeoutSeconds"`
	Architecture   arm.Architecture `json:"architecture"`
	PackageType    string           `json:"packageType,omitempty"` // Zip or Image; "" where Lambda did not say
	Region         string           `json:"region"`                // "" where it is not known
	Published      int              `json:"published"`             // of Powers, from the first
	Cold           bool             `json:"cold"`                  // a version for each invocation: nothing is published beforehand
	Warnings       []string         `json:"warnings,omitempty"`

	// How a state machine runs it.
	Groups      []Group `json:"groups"` // the items of its Map
	Unpublished bool    `json:"unpublished"`
	Distributed bool    `json:"distributed"`
	Concurrency int     `json:"concurrency"` // groups at once
	Publishes   int     `json:"publishes"`   // times that Publish was called
}

// Group is power values that are measured together, in the same rounds.
type Group struct {
	Powers []int `json:"powers"` // MB
}

// initialise checks what only the function's own configuration can tell, and plans. Nothing is changed yet.
func initialise(ctx context.Context, f *function, in Input, region string) (*Plan, error) {
	c, err := f.settle(ctx, "", "")
	if err != nil {
		return nil, err
	}
	if m, marked := markerOf(c.Environment); marked && m.ID != f.id {
		return nil, fmt.Errorf("%s is being tuned by %s: wait for its end, or where that was killed run `twinstart tune --function %s --clean`", f.name, m.ID, f.name)
	}
	var warnings []string
	if in.Qualifier != "" && in.Qualifier != "$LATEST" {
		q, err := f.look(ctx, in.Qualifier)
		if err != nil {
			return nil, err
		}
		if aws.ToString(q.CodeSha256) != aws.ToString(c.CodeSha256) {
			return nil, fmt.Errorf("%s:%s has other code than $LATEST, and only the code of $LATEST can be published with another memory: deploy that code, or tune %s", f.name, in.Qualifier, f.name)
		}
	}
	architecture := arm.X8664 // what Lambda takes where nothing is said
	if len(c.Architectures) > 0 {
		architecture = arm.Architecture(c.Architectures[0])
	}
	if in.Region != "" {
		region = in.Region
	}
	if c.Environment != nil && c.Environment.Error != nil {
		return nil, fmt.Errorf("the environment variables of %s cannot be read (%s): tuning would erase them; allow kms:Decrypt", f.name, aws.ToString(c.Environment.Error.ErrorCode))
	}
	p := &Plan{ID: f.id, Function: f.name, Powers: in.PowerValues, Num: in.Num, Memory: int(aws.ToInt32(c.MemorySize)), TimeoutSeconds: int(aws.ToInt32(c.Timeout)),
		Architecture: architecture, PackageType: string(c.PackageType), Region: region, Cold: in.OnlyColdStarts, Warnings: append(in.Warnings, warnings...)}
	h := fnv.New32a()
	h.Write([]byte(f.id))
	p.Seed = h.Sum32()
	p.Powers = shuffled(p.Powers, p.Seed, 0)
	p.size()
	return p, nil
}

// shuffled is the order of a round, from 0. Every round has another one, so that nothing always follows the same, and a drift of the
// machine or of what the function calls falls on all alike.
func shuffled[T any](of []T, seed uint32, round int) []T {
	out := slices.Clone(of)
	r := rand.New(rand.NewPCG(uint64(seed), uint64(round)))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// publish makes versions and aliases until done or until the time is up; more says that there are some left.
func (p *Plan) publish(ctx context.Context, f *function, until time.Time, observe func(power int)) error {
	p.Publishes++
	if p.Cold {
		p.Published = len(p.Powers)
	}
	if p.Published == len(p.Powers) {
		p.Unpublished = false
		return nil
	}
	base, err := f.settle(ctx, "", "")
	if err != nil {
		return err
	}
	if m, marked := markerOf(base.Environment); marked && m.ID != p.ID || p.Published > 0 && !marked {
		return fmt.Errorf("%s: %w", f.name, ErrForeign) // or the tuning was stopped, and cleaned up after
	}
	for p.Published < len(p.Powers) {
		power := p.Powers[p.Published]
		var version string
		if version, base, err = f.publish(ctx, base, power, Marker{ID: p.ID, Memory: p.Memory, N: p.Published + 1}); err != nil {
			return err
		}
		if err := f.point(ctx, alias(p.ID, power), version); err != nil {
			return err
		}
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
