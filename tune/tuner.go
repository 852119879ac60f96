package tune

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/bench/price"
)

// Tuner tunes functions.
type Tuner struct {
	Lambda API
	Fetch  Fetch         // nil where payloadS3 cannot be read
	Prices *price.Table  // nil for the built-in one
	Source string        // "lab" or "aws", for the output; "" is aws
	Seed   uint32        // of the order of power values; 0 draws one from the id
	Region string        // where a function is that is given by its name; "" takes default prices
	Poll   time.Duration // first pause between looks at the control plane; 0 is 200 ms

	// Observe, where set, is called after each version and each invocation, one at a time.
	Observe func(Event)
}

// Event is one step forward.
type Event struct {
	Phase       string // "publish" or "measure"
	Power       int    // MB
	Done, Total int    // of the phase
}

const (
	defaultPoll  = 200 * time.Millisecond
	cleanTimeout = 5 * time.Minute
)

func (t *Tuner) prices() *price.Table {
	if t.Prices == nil {
		return price.Default()
	}
	return t.Prices
}

func (t *Tuner) function(in Input, id string) *function {
	poll := t.Poll
	if poll == 0 {
		poll = defaultPoll
	}
	return &function{api: t.Lambda, name: in.Function, id: id, poll: poll}
}

// Run tunes a function from beginning to end. id tells this tuning from others. Power values take turns, in another random order each
// round. Whatever happens, Ctrl-C by ctx included, the function is left as it was, or the error says what is left.
func (t *Tuner) Run(ctx context.Context, in Input, id string) (out *Output, err error) {
	if err := t.payloads(ctx, &in); err != nil {
		return nil, err
	}
	f := t.function(in, id)
	plan, err := t.plan(ctx, f, in)
	if err != nil {
		return nil, err
	}
	values, err := t.measure(ctx, f, in, plan)
	err = errors.Join(err, t.clean(ctx, f))
	if err != nil {
		return nil, err
	}
	if out, err = analyse(in, plan, values, t.prices(), 0); err != nil {
		return nil, err
	}
	out.Source = t.source()
	return out, optimise(ctx, f, in, out)
}

// plan is initialise with what the tuner was given.
func (t *Tuner) plan(ctx context.Context, f *function, in Input) (*Plan, error) {
	p, err := initialise(ctx, f, in, t.Region)
	if err == nil && t.Seed != 0 {
		p.Seed = t.Seed
		p.Powers = in.PowerValues
		p.Powers = p.order(0)
	}
	return p, err
}

func (t *Tuner) source() string {
	if t.Source == "" {
		return "aws"
	}
	return t.Source
}

// clean cleans up whether or not ctx is done.
func (t *Tuner) clean(ctx context.Context, f *function) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	_, err := f.clean(ctx)
	if err != nil {
		return fmt.Errorf("cleaning up: %w", err)
	}
	return nil
}

// Clean removes what tunings of a function left that were killed: versions, aliases, the changed memory. found says whether
// there was any of it.
func (t *Tuner) Clean(ctx context.Context, functionName string) (found bool, err error) {
	r := &reader{wrong: map[string]bool{}}
	in := Input{}
	if in.Function, _, _ = r.function("--function", functionName); len(r.mistakes) > 0 {
		return false, &InputError{r.mistakes}
	}
	return t.function(in, "").clean(ctx)
}

// payloads fetches those of S3.
func (t *Tuner) payloads(ctx context.Context, in *Input) error {
	if in.PayloadS3 != "" {
		if t.Fetch == nil {
			return fmt.Errorf("payloadS3 %s: S3 is out of reach here: put the payload into a file and give --payload", in.PayloadS3)
		}
		data, err := t.Fetch(ctx, in.PayloadS3)
		if err != nil {
			return err
		}
		if in.Payloads, err = ParsePayloads(data, in.Num); err != nil {
			return fmt.Errorf("%s %w", in.PayloadS3, err)
		}
	}
	if in.Payloads.tooLarge() {
		return fmt.Errorf("the payload %w", errTooLarge)
	}
	return nil
}

// measure publishes and measures.
func (t *Tuner) measure(ctx context.Context, f *function, in Input, plan *Plan) ([]Value, error) {
	rate, _, err := rateOf(t.prices(), plan)
	if err != nil {
		return nil, err
	}
	published := 0
	err = plan.publish(ctx, f, time.Time{}, func(power int) {
		published++
		t.observe(Event{"publish", power, published, len(plan.Powers)})
	})
	if err != nil {
		return nil, err
	}
	m := &measurer{f: f, in: in, plan: plan}
	progress := map[int]*Progress{}
	for _, power := range plan.Powers {
		progress[power] = &Progress{Power: power}
	}
	done := 0
	observe := func(power int) func() {
		return func() {
			done++
			t.observe(Event{"measure", power, done, plan.Num * len(plan.Powers)})
		}
	}
	if in.Parallel && !plan.Cold {
		for _, power := range plan.Powers {
			if err := m.parallel(ctx, progress[power], plan.Num, in.Payloads.turns(), time.Time{}, observe(power)); err != nil {
				return nil, err
			}
		}
	} else if err := rounds(ctx, m, progress, observe); err != nil {
		return nil, err
	}
	var values []Value
	for _, power := range plan.Powers {
		values = append(values, progress[power].value(in.DiscardTopBottom, rate))
	}
	return values, nil
}

// rounds lets every power value have its turn once a round.
func rounds(ctx context.Context, m *measurer, progress map[int]*Progress, observe func(power int) func()) error {
	events := m.in.Payloads.turns()
	for round := range m.plan.Num {
		event := events.next()
		for _, power := range m.plan.order(round) {
			p := progress[power]
			if p.Failed == "" {
				if err := m.step(ctx, p, event); err != nil {
					return err
				}
			}
			observe(power)()
		}
	}
	return nil
}

func (t *Tuner) observe(e Event) {
	if t.Observe != nil {
		t.Observe(e)
	}
}

// optimise applies the result, where that was asked for: the memory, and with an alias a version that it points at.
func optimise(ctx context.Context, f *function, in Input, out *Output) error {
	if !in.AutoOptimize || in.DryRun {
		return nil
	}
	c, err := f.settle(ctx, "", "")
	if err != nil {
		return err
	}
	if int(aws.ToInt32(c.MemorySize)) != out.Power {
		if c, err = f.configure(ctx, c, out.Power, nil); err != nil {
			return err
		}
	}
	out.Optimised = fmt.Sprintf("memory set to %d MB", out.Power)
	if in.AutoOptimizeAlias == "" {
		return nil
	}
	v, err := f.api.PublishVersion(unbroken(ctx), &lambda.PublishVersionInput{FunctionName: &f.name, RevisionId: c.RevisionId})
	if err != nil {
		return fmt.Errorf("publishing %s at %d MB: %w", f.name, out.Power, brief(err))
	}
	version := aws.ToString(v.Version)
	if _, err := f.settle(ctx, version, ""); err != nil {
		return err
	}
	if err := f.point(ctx, in.AutoOptimizeAlias, version); err != nil {
		return err
	}
	out.Optimised += fmt.Sprintf(", alias %s points at version %s", in.AutoOptimizeAlias, version)
	return nil
}
