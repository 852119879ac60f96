// Package stat turns samples into summaries and comparisons: the statistics of a report, without its words.
//
// Quantiles are R8 of Hyndman and Fan 1996: median-unbiased whatever the distribution.
package stat

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/aclements/go-moremath/stats"
	"gonum.org/v1/gonum/floats"
	gonumstat "gonum.org/v1/gonum/stat"
)

// Confidence is that of every interval.
const Confidence = 0.95

// Alpha is the level below which a difference counts, after correction.
const Alpha = 0.05

// What a sample must hold before a percentile is printed: fewer say more about luck than about the tail.
const (
	MinP99  = 200
	MinP999 = 1000
)

// Interval is a confidence interval.
type Interval struct{ Lo, Hi float64 }

// Bounds is the central interval of draws, of the probability Confidence.
func Bounds(draws []float64) Interval {
	sorted := slices.Sorted(slices.Values(draws))
	n := float64(len(draws) - 1)
	return Interval{sorted[int(math.Floor(n*(1-Confidence)/2))], sorted[int(math.Ceil(n*(1+Confidence)/2))]}
}

// Sample is measurements of one thing, of one arm. It holds them in ascending order, and in order of measuring for Drift.
type Sample struct {
	sorted  []float64
	inOrder []float64
	serial  func() (Autocorrelation, bool)
}

// NewSample takes values in the order in which they were measured, and keeps the slice.
func NewSample(values []float64) *Sample {
	s := &Sample{sorted: slices.Sorted(slices.Values(values)), inOrder: values}
	s.serial = sync.OnceValues(s.autocorrelation)
	return s
}

// N is the number of values.
func (s *Sample) N() int { return len(s.inOrder) }

// Values are the values in ascending order; not to be changed.
func (s *Sample) Values() []float64 { return s.sorted }

// InOrder are the values in the order in which they were measured; not to be changed.
func (s *Sample) InOrder() []float64 { return s.inOrder }

// Total is the sum.
func (s *Sample) Total() float64 { return floats.SumCompensated(s.inOrder) }

// Mean is the arithmetic mean, NaN for no values.
func (s *Sample) Mean() float64 { return s.Total() / float64(s.N()) }

// StdDev is the sample's standard deviation, NaN below two values.
func (s *Sample) StdDev() float64 { return gonumstat.StdDev(s.inOrder, nil) }

// Quantile is the quantile q in [0, 1]; NaN for no values.
func (s *Sample) Quantile(q float64) float64 {
	return stats.Sample{Xs: s.Values(), Sorted: true}.Quantile(q)
}

// Sidak is the level of each of n parts that err together no more often than alpha.
func Sidak(alpha float64, n int) float64 { return 1 - math.Pow(1-alpha, 1/float64(max(n, 1))) }

// Holm corrects the p-values of one family of tests, so that the chance of any false claim among them stays below alpha
// (Holm 1979). The result has the order of ps.
func Holm(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	out := make([]float64, len(ps))
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, float64(len(ps)-rank)*ps[i]))
		out[i] = least
	}
	return out
}
