// Package sequential ends a run as soon as its winner is certain, at a known error rate. Looking at growing data
// again and again and stopping at the first small p-value would find winners where none exist.
//
// The rule is group-sequential. Looks are planned ahead, and each may spend its share of the error by Pocock's
// spending function (Lan and DeMets 1983), which lets a clear winner end a long run early. A look tests all pairs of
// arms at its share, as the report's primary claim does. The shares sum up to alpha, so by Bonferroni's inequality
// the chance of any false claim at any look is at most alpha, however the looks depend on each other.
package sequential

import (
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
)

// FirstLook is the round of the first look. Each later look comes at 1.5 times the round of the one before.
const FirstLook = 20

// Look is a planned look at the results.
type Look struct {
	Round int
	Level float64 // share of the error
}

// Plan plans the looks of a run of at most rounds rounds. The last look is at its end.
func Plan(rounds int, alpha float64) (looks []Look) {
	spent := 0.0
	for at := float64(min(FirstLook, rounds)); ; at = math.Ceil(1.5 * at) {
		round := min(int(at), rounds)
		if rounds-round < round/4 {
			round = rounds // too few rounds are left for another look
		}
		due := spend(float64(round)/float64(rounds), alpha)
		looks = append(looks, Look{Round: round, Level: due - spent})
		if spent = due; round >= rounds {
			return looks
		}
	}
}

// spend is Pocock's function: how much of alpha may be spent when a share t of the data is in.
func spend(t, alpha float64) float64 { return alpha * math.Log(1+(math.E-1)*t) }

// Watch follows a run. It is used by one goroutine at a time.
type Watch struct {
	runfile.Sequential // what run.json says of it

	looks []Look
	told  bool             // a look told arms apart
	won   bool             // the last look ended the run
	cold  []*record.Record // in the order of measuring
}

// NewWatch plans the looks of a run of at most rounds rounds.
func NewWatch(clock report.Clock, rounds int, alpha float64) *Watch {
	looks := Plan(rounds, alpha)
	state := runfile.Sequential{Clock: string(clock), Alpha: alpha, Rounds: rounds, Level: looks[0].Level}
	return &Watch{Sequential: state, looks: looks}
}

// Observe takes a record of the run. A run that is resumed passes the earlier records, too.
func (w *Watch) Observe(r *record.Record) {
	if r.Start == record.Cold && !r.Marked.Is(record.Priming) {
		w.cold = append(w.cold, r)
	}
}

// Enough looks at the results if a look is due after this round. It reports whether the run may end: the best arm has
// been told apart from every arm that it is compared with. An arm that never works keeps the run going: nothing is
// known of it, so it is not beaten.
func (w *Watch) Enough(round int) bool {
	for !w.won && w.Looks < len(w.looks) && round >= w.looks[w.Looks].Round {
		look := w.looks[w.Looks]
		until := slices.DeleteFunc(slices.Clone(w.cold), func(r *record.Record) bool { return r.Round > look.Round })
		var told bool
		told, w.won = report.Decided(until, report.Clock(w.Clock), look.Level)
		w.told = w.told || told
		w.Looks, w.Level = w.Looks+1, look.Level
	}
	if w.won || round == w.Rounds {
		w.Ended, w.Stopped = round, w.won && round < w.Rounds
	}
	return w.won
}
