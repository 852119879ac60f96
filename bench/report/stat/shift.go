package stat

import (
	"math"
	"sync"
)

// Shift is the distance of two samples, with the interval and the p-value of the same test.
type Shift struct {
	N         int      // pairs, or values of the smaller sample
	Effective float64  // how many independent ones would say as much; N if neighbours are independent
	Estimate  float64  // Hodges and Lehmann's
	CI        Interval // from inverting the test; if its ranks do not reach the level, from P (Miettinen 1976)
	P         float64  // two-sided
	Told      bool     // P is below the level, and the interval excludes 0
}

// invert fills in the result of a rank test: its p-value, the level, and the number of pairs of values. end returns the
// rank at which the interval ends; at returns the k-th smallest value of the pairs.
func (s *Shift) invert(c correction, p, level, pairs float64, end func(p float64) float64, at func(k float64) float64) {
	s.Effective, s.P = float64(s.N)/c.inflation, c.p(p)
	s.Estimate = at(math.Ceil(pairs / 2))
	if math.Mod(pairs, 2) == 0 {
		s.Estimate = (s.Estimate + at(pairs/2+1)) / 2
	}
	k := end(c.level(level) / 2)
	s.CI = Interval{at(k), at(pairs + 1 - k)}
	if c.inflation > 1 && s.P >= level && (s.CI.Lo > 0 || s.CI.Hi < 0) { // no rank is far enough out
		half := math.Abs(s.Estimate) * c.quantile(level) / c.quantile(s.P)
		s.CI = Interval{s.Estimate - half, s.Estimate + half}
	}
	s.Told = s.P < level && (s.CI.Lo > 0 || s.CI.Hi < 0)
}

// bisect returns the least x at which enough is true, to the last bit. It must be true at hi.
func bisect(lo, hi float64, enough func(float64) bool) float64 {
	if enough(lo) {
		return lo
	}
	for range 200 {
		middle := lo + (hi-lo)/2
		if middle <= lo || middle >= hi {
			break
		}
		if enough(middle) {
			hi = middle
		} else {
			lo = middle
		}
	}
	return hi
}

// kept returns f with its results kept. It may be called concurrently.
func kept[K comparable, V any](f func(K) V) func(K) V {
	var results sync.Map
	return func(k K) V {
		if v, ok := results.Load(k); ok {
			return v.(V)
		}
		v, _ := results.LoadOrStore(k, f(k))
		return v.(V)
	}
}
