// Package sequential ends a run as soon as its winner is certain, without cheating: looking often at growing data and stopping at the
// first small p-value finds winners where there are none.
//
// The rule is group-sequential. Looks are planned ahead, and each has its share of the error: Pocock's spending function (Lan and DeMets
// 1983), which is even enough that a clear winner ends a long run early. A look tests all pairs of arms, as the report's primary
// claim does, to its own share. The shares sum up to alpha, so by Bonferroni's inequality the chance of any false claim at any look is at
// most alpha, however the looks depend on each other.
package sequential

import (
	"math"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
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

// Watch follows a run. It is used by one goroutine at a time.
type Watch struct {
	Clock report.Clock
	Looks []Look

	next          int
	told, stopped bool             // whether any look told arms apart, and whether the last one ended the run
	cold          []*record.Record // in the order of measuring
}

// NewWatch plans the looks of a run of at most rounds rounds.
func NewWatch(clock report.Clock, rounds int, alpha float64) *Watch {
	return &Watch{Clock: clock, Looks: Plan(rounds, alpha)}
}

// Observe takes a record of the run, those of before it was resumed too.
func (w *Watch) Observe(r *record.Record) {
	if r.Start == record.Cold && !r.Marked.Is(record.Priming) {
		w.cold = append(w.cold, r)
	}
}

// Enough looks, where a look is due after this round, and says whether the run may end: the best arm has been told from every other that it
// is compared with. One that never works keeps the run going: it is not beaten, it is not known.
func (w *Watch) Enough(round int) bool {
	for !w.stopped && w.next < len(w.Looks) && round >= w.Looks[w.next].Round {
		look := w.Looks[w.next]
		var until []*record.Record
		for _, r := range w.cold {
			if r.Round <= look.Round {
				until = append(until, r)
			}
		}
		var told bool
		told, w.stopped = report.Decided(until, w.Clock, look.Level)
		w.told = w.told || told
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
