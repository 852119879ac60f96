// Package stat turns samples into summaries and comparisons: the statistics of a report, without its words.
//
// What golang.org/x/perf/benchmath has is taken from it: the median with its confidence interval and the Mann-Whitney
// test. Quantiles are R8 of Hyndman and Fan 1996, as in benchmath's own median: median-unbiased whatever the distribution.
package stat

import (
	"errors"
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"
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

// Sample is measurements of one thing, of one arm. It holds them in ascending order, and in order of measuring for Drift.
type Sample struct {
	sorted  *benchmath.Sample
	inOrder []float64
}

// NewSample takes values in the order in which they were measured, and keeps the slice.
func NewSample(values []float64) *Sample {
	t := benchmath.DefaultThresholds
	return &Sample{sorted: benchmath.NewSample(slices.Clone(values), &t), inOrder: values}
}

// N is the number of values.
func (s *Sample) N() int { return len(s.inOrder) }

// Values are the values in ascending order; not to be changed.
func (s *Sample) Values() []float64 { return s.sorted.Values }

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

// Median is the median and the confidence interval that the order statistics give, whatever the distribution. ok is false
// where there are too few values for an interval.
func (s *Sample) Median() (median float64, ci Interval, ok bool) {
	if s.N() == 0 {
		return math.NaN(), Interval{}, false
	}
	m := benchmath.AssumeNothing.Summary(s.sorted, Confidence)
	return m.Center, Interval{m.Lo, m.Hi}, !math.IsInf(m.Lo, 0) && !math.IsInf(m.Hi, 0)
}

// Up to this many values of each arm p is exact; the approximation above is good to three digits. Go-moremath would go on to 50,
// at 1 ms a test: a second and a half for every pair of 27 arms by four clocks.
const exactLimit = 25

func init() { stats.MannWhitneyExactLimit = exactLimit }

// Comparison is the Mann-Whitney test of two samples: whether values of one tend to be larger.
type Comparison struct {
	P        float64
	Warnings []error
}

// Compare tests two samples. Without values, or with all values equal, nothing can be told apart: P is 1.
func Compare(a, b *Sample) Comparison {
	if a.N() == 0 || b.N() == 0 {
		return Comparison{P: 1, Warnings: []error{errors.New("no samples")}}
	}
	c := benchmath.AssumeNothing.Compare(a.sorted, b.sorted)
	return Comparison{P: c.P, Warnings: c.Warnings}
}

// Holm corrects the p-values of one family of tests, so that the chance of any false claim among them stays below alpha
// (Holm 1979). The result has the order of ps.
func Holm(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case ps[a] < ps[b]:
			return -1
		case ps[a] > ps[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(ps))
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, float64(len(ps)-rank)*ps[i]))
		out[i] = least
	}
	return out
}
