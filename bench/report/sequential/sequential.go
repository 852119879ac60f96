// Package sequential ends a run as soon as its winner is certain, without cheating: looking often at growing data and stopping at the
// first small p-value finds winners where there are none.
//
// The rule is group-sequential. Looks are planned ahead, and each has its share of the error: Pocock's spending function (Lan and DeMets
// 1983), which is even enough that a clear winner ends a long run early. A look tests all pairs of arms, as the report's primary
// claim does, to its own share. The shares sum up to alpha, so by Bonferroni's inequality the chance of any false claim at any look is at
// most alpha, however the looks depend on each other.
package sequential

import (
	"cmp"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// FirstLook is the round of the first look; each next one comes half as late again.
const FirstLook = 20

// Look is a round at which results are looked at.
type Look struct {
	Round int
	Level float64 // share of the error
}

// Plan lays out the looks of a run of at most rounds rounds; the last is at its end.
func Plan(rounds int, alpha float64) (looks []Look) {
	spent := 0.0
	for at := float64(min(FirstLook, rounds)); ; at = math.Ceil(1.5 * at) {
		round := min(int(at), rounds)
		if rounds-round < round/4 {
			round = rounds // not worth another one
		}
		due := spend(float64(round)/float64(rounds), alpha)
		looks = append(looks, Look{Round: round, Level: due - spent})
		if spent = due; round >= rounds {
			return looks
		}
	}
}

// spend is Pocock's function: how much of alpha may be spent once a share t of the data is in.
func spend(t, alpha float64) float64 { return alpha * math.Log(1+(math.E-1)*t) }

// sample is one cold start's value.
type sample struct {
	round int
	value float64
}

// place names an arm.
type place struct {
	arm    string
	memory int
}

// Watch follows a run. It is used by one goroutine at a time.
type Watch struct {
	Clock report.Clock
	Looks []Look

	next    int
	stopped bool
	arms    map[place][]sample
	told    map[[2]place]bool
}

// NewWatch plans the looks of a run of at most rounds rounds.
func NewWatch(clock report.Clock, rounds int, alpha float64) *Watch {
	return &Watch{Clock: clock, Looks: Plan(rounds, alpha), arms: map[place][]sample{}, told: map[[2]place]bool{}}
}

// Observe takes a record of the run, those of before it was resumed too.
func (w *Watch) Observe(r *record.Record) {
	if r.Start != record.Cold || r.Marked.Is(record.Priming) {
		return
	}
	p := place{r.Arm, r.MemorySizeMB}
	if w.arms[p] == nil {
		w.arms[p] = []sample{} // an arm that never works keeps the run going: it is not beaten, it is not known
	}
	if r.Marked != "" || r.FirstAfterDeploy {
		return
	}
	total, ok := r.ColdTotalMs()
	value := total
	switch w.Clock {
	case report.ClockInit:
		if ok {
			value -= *r.DurationMs
		}
	case report.ClockWait:
		if ok = r.ClientDurationMs != nil; ok {
			value = *r.ClientDurationMs
		}
	}
	if ok {
		w.arms[p] = append(w.arms[p], sample{r.Round, value})
	}
}

// Enough looks, where a look is due after this round, and says whether the run may end: the arm with the least median has been told from
// every other.
func (w *Watch) Enough(round int) bool {
	for !w.stopped && w.next < len(w.Looks) && round >= w.Looks[w.next].Round {
		w.stopped = w.look(w.Looks[w.next])
		w.next++
	}
	return w.stopped
}

// Done is how many looks were taken, and whether the last one ended the run.
func (w *Watch) Done() (looks int, stopped bool) { return w.next, w.stopped }

// Level is the share of the error of the last look that was taken; what is told apart after the run must be so at this level. 0: none yet.
func (w *Watch) Level() float64 {
	if w.next == 0 {
		return 0
	}
	return w.Looks[w.next-1].Level
}

func (w *Watch) look(l Look) bool {
	var places []place
	for p := range w.arms {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.arm, b.arm), cmp.Compare(a.memory, b.memory)) })
	level := stat.Family{Arms: len(places), Alpha: l.Level}.Level()
	medians := map[place]float64{}
	for i, a := range places {
		x := w.until(a, l.Round)
		medians[a] = median(x)
		for _, b := range places[i+1:] {
			if tell(x, w.until(b, l.Round), level) {
				w.told[[2]place{a, b}] = true
			}
		}
	}
	if len(places) < 2 {
		return false
	}
	best := slices.MinFunc(places, func(a, b place) int { return cmp.Compare(medians[a], medians[b]) })
	for _, p := range places {
		if p != best && !w.told[[2]place{best, p}] && !w.told[[2]place{p, best}] {
			return false
		}
	}
	return true
}

// until are the logs of an arm's values up to a round.
func (w *Watch) until(p place, round int) (out []sample) {
	for _, v := range w.arms[p] {
		if v.round <= round {
			out = append(out, sample{v.round, math.Log(math.Max(v.value, 1e-3))})
		}
	}
	return out
}

// tell compares two arms as a report does: within rounds, or, where those are too few for the level, all values.
func tell(a, b []sample, level float64) bool {
	rounds := map[int]float64{}
	var x, y, d []float64
	for _, v := range a {
		rounds[v.round] = v.value
		x = append(x, v.value)
	}
	for _, v := range b {
		y = append(y, v.value)
		if u, ok := rounds[v.round]; ok {
			d = append(d, u-v.value)
		}
	}
	if s, ok := stat.Paired(d, level, stat.Dependence{}); ok {
		return s.Told
	}
	s, _ := stat.Unpaired(x, y, level)
	return s.Told
}

// median sorts arms without samples last.
func median(values []sample) float64 {
	if len(values) == 0 {
		return math.Inf(1)
	}
	var xs []float64
	for _, v := range values {
		xs = append(xs, v.value)
	}
	return stat.NewSample(xs).Quantile(0.5)
}
