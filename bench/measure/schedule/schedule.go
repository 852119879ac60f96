// Package schedule decides in which order arms are measured.
//
// Within a round every arm has one turn, in random order, so that any drift of the machine or the region affects
// all arms alike. The order of a round depends on the seed, the phase and the round only. So a resumed run, or one
// with more rounds, has the same orders.
package schedule

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

// Phase gives rounds of the same number different orders.
type Phase uint64

// The phases of a run. In Power an arm is a memory size.
const (
	Cold Phase = iota + 1
	Warm
	Power
	Load
)

// Order returns the order of n arms in a round (from 1), as indices into the list of arms.
func Order(seed uint64, phase Phase, round, n int) []int {
	return rand.New(rand.NewPCG(seed, uint64(phase)<<32|uint64(round))).Perm(n)
}

// Turn measures an arm. place is its place in the order, from 1.
type Turn func(ctx context.Context, arm, place int) error

// Each calls turn for each arm of an order, with its place in the order (from 1), at most atOnce at a time. It stops at
// the first error, or when the context ends.
func Each(ctx context.Context, order iter.Seq[int], atOnce int, turn Turn) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, atOnce))
	place := 0
	for arm := range order {
		if gctx.Err() != nil {
			break
		}
		place++
		at := place
		g.Go(func() error { return turn(gctx, arm, at) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// Blocks distributes total warm samples evenly over environments; the first ones get what is left over. There are
// never more environments than samples.
func Blocks(total, environments int) []int {
	out := make([]int, max(0, min(environments, total)))
	for i := range out {
		out[i] = (total + len(out) - 1 - i) / len(out)
	}
	return out
}

// Stage is a stretch of an open load. Its rate changes evenly from From to To, in arrivals a second. If both are 0, it
// is a pause.
type Stage struct {
	Name    string        `json:"name"`
	From    float64       `json:"from"`
	To      float64       `json:"to"`
	For     time.Duration `json:"for"`
	Poisson bool          `json:"poisson,omitempty"` // random gaps, as of independent callers; else even gaps
}

// Arrivals yields when each request is due, since the load began, and the index of its stage. Even arrivals come when
// the integral of the rate reaches 0, 1, 2 ... Arrivals of a Poisson process come when it reaches sums of exponential
// numbers that are drawn from the seed. So a ramp is exact at any slope. Pacers that extrapolate from the current rate,
// such as vegeta's LinearPacer, send the first 200 requests of a ramp from 1 to 1,000 in 10 s at once.
func Arrivals(stages []Stage, seed uint64) iter.Seq2[time.Duration, int] {
	return func(yield func(time.Duration, int) bool) {
		rng := rand.New(rand.NewPCG(seed, uint64(Load)))
		begin, due := time.Duration(0), 0.0 // due is the integral left until the next arrival
		for i, s := range stages {
			if s.Poisson {
				due = rng.ExpFloat64()
			}
			seconds := s.For.Seconds()
			slope, all := (s.To-s.From)/seconds, (s.From+s.To)/2*seconds
			for due < all-1e-9 {
				at := 2 * due / (s.From + math.Sqrt(math.Max(0, s.From*s.From+2*slope*due)))
				if due == 0 {
					at = 0
				}
				if !yield(begin+time.Duration(at*float64(time.Second)), i) {
					return
				}
				if s.Poisson {
					due += rng.ExpFloat64()
				} else {
					due++
				}
			}
			due -= all
			begin += s.For
		}
	}
}

// Length returns how long stages last.
func Length(stages []Stage) (all time.Duration) {
	for _, s := range stages {
		all += s.For
	}
	return all
}
