// Package stat turns samples into summaries and comparisons: the statistics of a report, without its words.
//
// It knows no units: a result has the unit of its values, or is a log ratio if the values are logs. Quantiles are R8 of
// Hyndman and Fan 1996, which is median-unbiased for any distribution. Every function returns the same for the same
// values and seed.
package stat

import (
	"math"
	"slices"
	"sync"

	"github.com/aclements/go-moremath/stats"
	"gonum.org/v1/gonum/floats"
	gonumstat "gonum.org/v1/gonum/stat"
)

// Confidence is the confidence level of every interval.
const Confidence = 0.95

// Alpha is the level below which a difference counts, after correction.
const Alpha = 0.05

// The number of values that a percentile needs. With fewer values it says more about luck than about the tail.
const (
	MinP99  = 200
	MinP999 = 1000
)

// Interval is a confidence interval.
type Interval struct{ Lo, Hi float64 }

// Bounds returns the central interval of draws with probability Confidence.
func Bounds(draws []float64) Interval {
	sorted := slices.Sorted(slices.Values(draws))
	n := float64(len(draws) - 1)
	return Interval{sorted[int(math.Floor(n*(1-Confidence)/2))], sorted[int(math.Ceil(n*(1+Confidence)/2))]}
}

// Sample holds measurements of one quantity of one arm, in ascending order and in order of measuring.
type Sample struct {
	sorted  []float64
	inOrder []float64
	serial  func() (Autocorrelation, bool)
}

// NewSample takes values in the order of measuring. It keeps the slice.
func NewSample(values []float64) *Sample {
	s := &Sample{sorted: slices.Sorted(slices.Values(values)), inOrder: values}
	s.serial = sync.OnceValues(s.autocorrelation)
	return s
}

// N is the number of values.
func (s *Sample) N() int { return len(s.inOrder) }

// Values returns the values in ascending order. The caller must not change them.
func (s *Sample) Values() []float64 { return s.sorted }

// InOrder returns the values in order of measuring. The caller must not change them.
func (s *Sample) InOrder() []float64 { return s.inOrder }

// Total returns the sum.
func (s *Sample) Total() float64 { return floats.SumCompensated(s.inOrder) }

// Mean returns the arithmetic mean, or NaN if there are no values.
func (s *Sample) Mean() float64 { return s.Total() / float64(s.N()) }

// StdDev returns the sample's standard deviation, or NaN for fewer than two values.
func (s *Sample) StdDev() float64 { return gonumstat.StdDev(s.inOrder, nil) }

// Quantile returns the quantile q in [0, 1], or NaN if there are no values.
func (s *Sample) Quantile(q float64) float64 {
	return stats.Sample{Xs: s.Values(), Sorted: true}.Quantile(q)
}

// Sidak returns the level of each of n tests that together err no more often than alpha.
func Sidak(alpha float64, n int) float64 { return 1 - math.Pow(1-alpha, 1/float64(max(n, 1))) }

// Holm corrects the p-values of a family of tests so that the chance of any false claim stays below alpha (Holm
// 1979). The result has the order of ps.
func Holm(ps []float64) []float64 {
	order, out := make([]int, len(ps)), make([]float64, len(ps))
	floats.Argsort(slices.Clone(ps), order)
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, float64(len(ps)-rank)*ps[i]))
		out[i] = least
	}
	return out
}
