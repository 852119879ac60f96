package schedule

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// Stage is a stretch of an open load. Its rate changes evenly from From to To, in arrivals a second. If both are 0, it
// is a pause.
type Stage struct {
	Name    string        `json:"name"`
	From    float64       `json:"from"`
	To      float64       `json:"to"`
	For     time.Duration `json:"for"`
	Poisson bool          `json:"poisson,omitempty"` // gaps are random, as of callers that do not know of each other; else even
}

// Arrivals returns when requests are due, since the load began, and the index of the stage of each. Even arrivals come
// where the integral of the rate passes 0, 1, 2 ...; those of a Poisson process where it passes sums of exponential
// numbers, which follow from the seed. So a ramp is exact at any slope; pacers that extrapolate from the rate of the
// moment, such as vegeta's LinearPacer, send the first 200 requests of a ramp from 1 to 1,000 in 10 s at once.
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
