package cost

import (
	"cmp"
	"fmt"
	"math"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/report/price"
)

// trace is what X-Ray takes to record one, in USD. See https://aws.amazon.com/xray/pricing/.
const trace = 5e-6

// samples returns how many calls of an arm meet a new environment, and how many do not. A run without a load does not measure the arms
// that are for loads. restores counts those of SnapStart.
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

// price returns what an arm's calls cost, and what its provisioned environments do.
func (f *function) price(i int, rate price.Rate, cold, warm int) (calls, provisioned float64) {
	set := f.arms[i]
	memory := cmp.Or(set.MemorySizeMB, f.memoryMB)
	calls = float64(cold)*rate.Invocation(memory, coldBilledMs) + float64(warm)*rate.Invocation(memory, warmBilledMs)
	if set.Sampled == "1" {
		calls += float64(cold+warm) * trace
	}
	return calls, float64(set.Provisioned*cold*memory) / 1024 * leastProvisioned * rate.Provisioned
}

// Levers returns what each lever of the experiment of levers adds to a run, of those arms that it measures.
func (t *Template) Levers(o measure.Options, measured func(id string) bool) (lines []Line) {
	functions := t.lambda()
	for _, lever := range arm.Levers() {
		var arms []int // of each function that a run calls
		line, own, found, provisioned, standing := Line{What: "calls, lever " + lever.Name}, 0, 0, 0, 0.0
		for id, f := range functions {
			rate, _ := price.Default().Rate(price.DefaultRegion, f.architecture)
			n, called := 0, 0
			for i, is := range f.ids {
				if is.Levels[arm.LeverFactor] != lever.Name || !measured(is.Arm) {
					continue
				}
				cold, warm := f.samples(i, o)
				calls, ahead := f.price(i, rate, cold, warm)
				line.Count, line.USD, n = line.Count+cold+warm, line.USD+calls+ahead, n+1
				if cold+warm > 0 {
					called++
					provisioned += min(1, f.arms[i].Provisioned)
				}
			}
			if found += n; called > 0 {
				arms = append(arms, called)
			}
			if n == len(f.ids) {
				own++
				_, usd := t.provisioned(id, 3600)
				standing += usd
			}
		}
		if found == 0 {
			continue
		}
		about := measure.EstimateArms(arms, 0, provisioned, o)
		if line.Note = fmt.Sprintf("functions of its own: %d; about %.0f min", own, math.Ceil(about.Minutes())); line.Count == 0 {
			line.Note = fmt.Sprintf("functions of its own: %d; twinstart load measures it", own)
		}
		if standing > 0 {
			line.Note += fmt.Sprintf("; its environments cost %.4f an hour until make destroy, those that tracking adds more", standing)
		}
		if lever.Name == "vpc" {
			line.Note += "; make destroy takes 20 to 40 min; how much longer make deploy takes is not measured"
		}
		lines = append(lines, line)
	}
	return lines
}
