package cost

import (
	"cmp"
	"fmt"
	"math"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
)

// trace is the price of recording an X-Ray trace, in USD. See https://aws.amazon.com/xray/pricing/.
const trace = 5e-6

// samples returns how many calls of an arm start cold, and how many warm. An arm that is measured under load only
// has none if there is no load. The cold starts of SnapStart are not included: restores counts them.
func (f *function) samples(i int, o measure.Options) (cold, warm int) {
	switch {
	case o.Load != nil:
		return o.Load.Repeats, o.Load.Repeats * max(0, o.Load.Count(0)-1)
	case arm.LoadOnly(f.ids[i], f.arms[i]) != "":
		return 0, 0
	case f.snapStart:
		return 0, o.Warm
	}
	return o.Cold + primings, o.Warm
}

// tally sums up the arms of a run.
type tally struct {
	arms, called, calls, provisioned int     // called: arms with calls; provisioned: arms with provisioned environments
	usd, provisionedUSD              float64 // of the calls, and of provisioned environments
}

// count adds those of the function's arms that are selected.
func (f *function) count(t *tally, o measure.Options, selected func(arm.Identity) bool) {
	for i, set := range f.arms {
		if !selected(f.ids[i]) {
			continue
		}
		t.arms++
		cold, warm := f.samples(i, o)
		if cold+warm == 0 {
			continue
		}
		memory := cmp.Or(set.MemorySizeMB, f.memoryMB)
		t.called, t.calls, t.provisioned = t.called+1, t.calls+cold+warm, t.provisioned+min(1, set.Provisioned)
		t.usd += float64(cold)*f.rate.Invocation(memory, coldBilledMs) + float64(warm)*f.rate.Invocation(memory, warmBilledMs)
		if set.Sampled == "1" {
			t.usd += float64(cold+warm) * trace
		}
		t.provisionedUSD += float64(set.Provisioned*cold*memory) / 1024 * leastProvisioned * f.rate.Provisioned
	}
}

// Levers returns what each lever adds to a run of the experiment of levers. measured selects the arms of the run.
func (t *Template) Levers(o measure.Options, measured func(id string) bool) (lines []Line) {
	functions := t.lambda()
	for _, lever := range arm.Levers() {
		var arms []int // counts, by function
		var all tally
		own, standing := 0, 0.0
		for id, f := range functions {
			before := all
			f.count(&all, o, func(id arm.Identity) bool {
				return id.Levels[arm.LeverFactor] == lever.Name && measured(id.Arm)
			})
			if called := all.called - before.called; called > 0 {
				arms = append(arms, called)
			}
			if all.arms-before.arms == len(f.ids) {
				own++
				_, usd := t.provisioned(id, 3600)
				standing += usd
			}
		}
		if all.arms == 0 {
			continue
		}
		note := "twinstart load measures it"
		if all.calls > 0 {
			note = fmt.Sprintf("about %.0f min", math.Ceil(measure.EstimateArms(arms, 0, all.provisioned, o).Minutes()))
		}
		note = fmt.Sprintf("own functions: %d; %s", own, note)
		if standing > 0 {
			note += fmt.Sprintf("; its environments cost %.4f an hour until make destroy, plus what tracking adds", standing)
		}
		if lever.Name == "vpc" {
			note += "; make destroy takes 20 to 40 min; the time that make deploy takes was not measured"
		}
		lines = append(lines, Line{"calls, lever " + lever.Name, all.calls, all.usd + all.provisionedUSD, note})
	}
	return lines
}
