package stat

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Resamples is how many bootstrap resamples a ratio rests on.
const Resamples = 4999

// The bootstrap of a quantile needs no resampling: the k-th smallest of n values drawn from a sample is the sample's value
// at rank ceil(n*U), U from Beta(k, n-k+1) (Hutson and Ernst 2000). A quantile between two ranks takes the fractional k.
func beta(size int, q float64) (alpha, beta float64) {
	n := float64(size)
	k := min(max(1.0/3+q*(n+1.0/3), 1), n)
	return k, n - k + 1
}

func (s *Sample) at(u float64) float64 {
	i := int(math.Ceil(u*float64(s.N()))) - 1
	return s.Values()[min(max(i, 0), s.N()-1)]
}

// QuantileInterval is the bootstrap percentile interval of a quantile; it repeats exactly. Far in the tail of a small sample
// it ends at the sample's largest value and is too narrow.
func (s *Sample) QuantileInterval(q float64) (ci Interval, ok bool) {
	if s.N() < 2 {
		return Interval{}, false
	}
	a, b := beta(s.N(), q)
	return Interval{
		s.at(mathext.InvRegIncBeta(a, b, (1-Confidence)/2)),
		s.at(mathext.InvRegIncBeta(a, b, (1+Confidence)/2)),
	}, true
}

// Resample draws the quantile of Resamples bootstrap resamples. replicates is how many values of the sample are independent:
// N(), or fewer where values of one environment are correlated, which widens what the draws say. The same seed gives the
// same draws.
func (s *Sample) Resample(q float64, replicates int, seed uint64) []float64 {
	if s.N() == 0 || replicates == 0 {
		return nil
	}
	a, b := beta(replicates, q)
	d := distuv.Beta{Alpha: a, Beta: b, Src: rand.NewPCG(seed, math.Float64bits(q))}
	out := make([]float64, Resamples)
	for i := range out {
		out[i] = s.at(d.Rand())
	}
	return out
}

// Ratio is how a quantile of one sample relates to that of another.
type Ratio struct {
	Ratio float64  // a / b
	CI    Interval // of the ratio
	Delta float64  // a - b
	DCI   Interval // of the difference
	P     float64  // of no difference, two-sided, from the resamples; not below 2/(Resamples+1)
}

// CompareQuantiles compares one quantile of two samples by their draws of Resample. It treats the samples as independent, which with arms
// interleaved in rounds errs on the side of caution: what shifts a round shifts both.
func CompareQuantiles(a, b *Sample, q float64, drawsA, drawsB []float64) Ratio {
	x, y := a.Quantile(q), b.Quantile(q)
	ratios, deltas := make([]float64, len(drawsA)), make([]float64, len(drawsA))
	above, below := 1, 1
	for i := range drawsA {
		ratios[i], deltas[i] = drawsA[i]/drawsB[i], drawsA[i]-drawsB[i]
		if deltas[i] >= 0 {
			above++
		}
		if deltas[i] <= 0 {
			below++
		}
	}
	n := float64(len(drawsA) + 1)
	return Ratio{
		Ratio: x / y, CI: percentile(ratios), Delta: x - y, DCI: percentile(deltas),
		P: min(1, 2*float64(min(above, below))/n),
	}
}

func percentile(draws []float64) Interval {
	n := float64(len(draws) - 1)
	return Interval{kth(draws, int(math.Floor(n*(1-Confidence)/2))), kth(draws, int(math.Ceil(n*(1+Confidence)/2)))}
}

// beyond is how many values must lie beyond a quantile before two arms are compared there.
const beyond = 5

// Tail is the farthest of p99, p95 and p90 that n values can speak about; ok is false below MinTail values.
func Tail(n int) (q float64, ok bool) {
	for _, per1000 := range []int{990, 950, 900} {
		if n*(1000-per1000) >= beyond*1000 {
			return float64(per1000) / 1000, true
		}
	}
	return 0, false
}

// MinTail is how many values the nearest tail, p90, needs.
const MinTail = beyond * 10
