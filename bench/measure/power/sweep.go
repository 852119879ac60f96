package power

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/price"
)

// Candidate is one of several functions that do the same with another architecture, package or bootstrap, and are
// tuned together.
type Candidate struct {
	Name     string       // for people, such as an arm; "" uses the function's own name
	Identity arm.Identity // for records, as far as it is known
	Input    Input
}

// Sweep is the result of tuning several functions together: memory x architecture x package.
type Sweep struct {
	Best           Choice    `json:"best"` // of all power values of all functions, by the strategy
	Recommendation string    `json:"recommendation"`
	Visualization  string    `json:"visualization,omitempty"` // compares the functions if there are two
	Functions      []*Output `json:"functions"`               // each with its own best value
	Failed         []string  `json:"failed,omitempty"`        // functions without any measured power value, and why
}

// AllFailed lists the functions, and the power values of the other functions, that could not be measured, each with
// the reason.
func (s *Sweep) AllFailed() []string {
	all := slices.Clone(s.Failed)
	for _, o := range s.Functions {
		for _, v := range o.ByPowerValue {
			if v.Failed != "" {
				all = append(all, fmt.Sprintf("%s at %d MB: %s", o.Title(), v.Value, v.Failed))
			}
		}
	}
	return all
}

// Choice is a function at a power value.
type Choice struct {
	Power        int     `json:"power"`          // MB
	Cost         float64 `json:"cost"`           // of an invocation
	Duration     float64 `json:"duration"`       // ms
	Name         string  `json:"name,omitempty"` // for people, such as an arm
	Function     string  `json:"function"`
	Architecture string  `json:"architecture"`
	PackageType  string  `json:"packageType,omitempty"` // Zip or Image
}

// Sweep tunes functions together. Each round has one invocation of every power value of every function, in random
// order, so that any drift affects all alike. The first input says strategy and weight. Sweep leaves every function
// as it was, unless its input has autoOptimize.
func (t *Tuner) Sweep(ctx context.Context, candidates []Candidate, id string) (*Sweep, error) {
	jobs, err := t.jobs(ctx, candidates, id)
	if err != nil {
		return nil, err
	}
	err = t.measure(ctx, jobs)
	for _, j := range jobs {
		err = errors.Join(err, t.clean(ctx, j.f))
	}
	if err != nil {
		return nil, err
	}
	out, err := t.compare(jobs)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if j.output == nil {
			continue
		}
		if err := optimise(ctx, j.f, j.Input, j.output); err != nil { // the analysis is valid nevertheless
			j.output.NotOptimised = err.Error()
		}
	}
	return out, nil
}

// jobs begins a measurer for each candidate. It checks everything before anything is changed.
func (t *Tuner) jobs(ctx context.Context, candidates []Candidate, id string) (jobs []*measurer, err error) {
	seen := map[string]bool{}
	for _, c := range candidates {
		if seen[c.Input.Function] {
			return nil, fmt.Errorf("%s is to be tuned twice at once: name it once", c.Input.Function)
		}
		seen[c.Input.Function] = true
		j, err := t.begin(ctx, c, id)
		if err == nil && len(jobs) > 0 {
			err = comparable(t.prices(), jobs[0].plan, j.plan)
		}
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

func (t *Tuner) measure(ctx context.Context, jobs []*measurer) error {
	observe := t.Observe
	if observe == nil {
		observe = func(string, string, int) {}
	}
	r, num := &rounds{seed: jobs[0].plan.Seed, limit: t.Beside}, 0
	r.observe = func(s series) { observe("measure", s.m.Name, s.p.Power) }
	for _, j := range jobs {
		err := j.plan.publish(ctx, j.f, time.Time{}, func(power int) { observe("publish", j.Name, power) })
		if err != nil {
			return err
		}
		for _, p := range j.progress {
			p.Failed = j.plan.Refused[p.Power]
		}
		r.all = append(r.all, j.series()...)
		num = max(num, j.plan.Num)
	}
	return r.measure(ctx, jobs[0].Input, jobs[0].plan.Cold, num)
}

// comparable returns an error if the costs of two functions cannot be compared.
func comparable(t *price.Table, a, b *Plan) error {
	of, _ := rateOf(t, a)
	other, _ := rateOf(t, b)
	alike := a.Architecture == b.Architecture && of.Region == other.Region
	if of.Currency != other.Currency || of.Currency == units && !alike {
		return fmt.Errorf("%s (%s, %s) and %s (%s, %s) have costs that cannot be compared, in %s and in %s: "+
			"tune them one by one, or give --prices FILE", a.Function, of.Region, a.Architecture,
			b.Function, other.Region, b.Architecture, of.Currency, other.Currency)
	}
	return nil
}

// compare analyses each function, and then all together.
func (t *Tuner) compare(jobs []*measurer) (*Sweep, error) {
	out := &Sweep{}
	var all []cell
	var curves []Curve
	for _, j := range jobs {
		o, err := analyse(j.Input, j.plan, j.values(), t.prices(), 0)
		if errors.Is(err, ErrNothingMeasured) && len(jobs) > 1 {
			out.Failed = append(out.Failed, fmt.Sprintf("%s: %v", j.Name, err))
			continue
		}
		if err != nil {
			return nil, err
		}
		o.Source, o.Name, j.output = t.source(), j.Name, o
		out.Functions = append(out.Functions, o)
		curves = append(curves, CurveOf(j.Name, o.ByPowerValue))
		for _, v := range o.ByPowerValue {
			all = append(all, cell{v, fmt.Sprintf("%s at %d MB", j.Name, v.Value), o})
		}
	}
	if len(out.Functions) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNothingMeasured, out.Failed)
	}
	in := jobs[0].Input
	chosen, err := best(all, in.Strategy, in.BalancedWeight)
	if err != nil {
		return nil, err
	}
	o := chosen.of
	out.Best = o.Choice
	out.Best.Power, out.Best.Cost, out.Best.Duration = chosen.Value.Value, chosen.AveragePrice, chosen.AverageDuration
	if len(jobs) == 1 {
		out.Recommendation = o.Recommendation
		return out, nil
	}
	opening := fmt.Sprintf("Take %s (%s)", chosen.label, o.Kind())
	out.Recommendation = recommend(in, opening, all, chosen, o.Currency) + architectures(in, all)
	if len(curves) == 2 {
		out.Visualization = CompareURL(visualizationBase(o.Currency), curves[0], curves[1])
	}
	return out, nil
}
