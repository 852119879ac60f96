package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// OrderInterval holds two ranks (from 1) of sorted values. A quantile lies between them with probability Coverage, for
// any distribution, because the number of values below a quantile is binomial.
type OrderInterval struct {
	Lo, Hi   int
	Coverage float64
}

// quantileOf is the quantile q of n values.
type quantileOf struct {
	n int
	q float64
}

// Order returns the narrowest pair of ranks that reaches Confidence. If there are several, it returns the pair with the
// highest coverage. The choice must not depend on the values, or the coverage would be wrong. ok is false if even the
// lowest and the highest rank do not reach Confidence: below 6 values for a median, 14 for p80, 29 for p90, 59 for p95,
// 299 for p99.
func Order(n int, q float64) (o OrderInterval, ok bool) {
	if n < 1 || q <= 0 || q >= 1 || 1-math.Pow(q, float64(n))-math.Pow(1-q, float64(n)) < Confidence {
		return o, false
	}
	o = orders(quantileOf{n, q})
	return o, o.Coverage >= Confidence
}

var orders = kept(func(k quantileOf) (o OrderInterval) {
	n, q := k.n, k.q
	// Ranks more than 12 standard deviations from the quantile's rank add no probability.
	middle, reach := float64(n)*q, 12*math.Sqrt(float64(n)*q*(1-q))+12
	first, last := max(1, int(middle-reach)), min(n, int(middle+reach))
	below := make([]float64, last-first+1) // chance that fewer than first+i values fall below the quantile
	for i := range below {
		below[i] = distuv.Binomial{N: float64(n), P: q}.CDF(float64(first + i - 1))
	}
	for width := 1; width < len(below); width++ {
		for i := 0; i+width < len(below); i++ {
			if c := below[i+width] - below[i]; c > o.Coverage {
				o = OrderInterval{first + i, first + i + width, c}
			}
		}
		if o.Coverage >= Confidence {
			break
		}
	}
	return o
})

// Interval returns the interval of a quantile by order statistics. If neighbours in order of measuring are
// correlated, it is widened according to the effective number of values. ok is false if there are too few.
func (s *Sample) Interval(q float64) (ci Interval, ok bool) {
	n := s.N()
	o, ok := Order(n, q)
	if !ok {
		return Interval{}, false
	}
	if a, found := s.Autocorrelation(); found {
		wider := math.Sqrt(float64(n) / a.Effective)
		middle := float64(n)*q + 0.5
		o.Lo = int(math.Floor(middle - wider*(middle-float64(o.Lo))))
		o.Hi = int(math.Ceil(middle + wider*(float64(o.Hi)-middle)))
		if o.Lo < 1 || o.Hi > n {
			return Interval{}, false
		}
	}
	return Interval{s.Values()[o.Lo-1], s.Values()[o.Hi-1]}, true
}

// Median returns the median with its interval; ok is false if there are too few values for an interval.
func (s *Sample) Median() (median float64, ci Interval, ok bool) {
	ci, ok = s.Interval(0.5)
	return s.Quantile(0.5), ci, ok
}

// beyond is how many values must lie beyond a quantile before two arms are compared there.
const beyond = 5

// Tail returns the highest of p99, p95 and p90 for which n values suffice. ok is false below MinTail values.
func Tail(n int) (q float64, ok bool) {
	for _, per1000 := range []int{990, 950, 900} {
		if n*(1000-per1000) >= beyond*1000 {
			return float64(per1000) / 1000, true
		}
	}
	return 0, false
}

// MinTail is how many values the lowest tail quantile, p90, needs.
const MinTail = beyond * 10

// MinMedian is how many values a resampled median needs.
const MinMedian = 6
