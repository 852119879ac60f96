package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// What counts as autocorrelation worth a word: strict, because many arms are looked at, and not worth one below 0.2.
const (
	autocorrelationAlpha = 0.001
	autocorrelationLeast = 0.2
)

// Autocorrelation is how much a value tells of the next one.
type Autocorrelation struct {
	R         float64 // correlation of ranks at lag 1: an outlier counts as one value
	Effective float64 // as many independent values would say as much of the mean
}

// Autocorrelation tells whether neighbours in order of measuring are alike: intervals that take values as independent are too
// narrow then.
func (s *Sample) Autocorrelation() (a Autocorrelation, found bool) { return s.serial() }

func (s *Sample) autocorrelation() (a Autocorrelation, found bool) {
	n := float64(s.N())
	if n < minSerial {
		return a, false
	}
	if a.R, _ = correlations(s.inOrder); math.IsNaN(a.R) { // all equal
		return Autocorrelation{}, false
	}
	a.Effective = n / inflation(a.R)
	return a, a.R > autocorrelationLeast && distuv.UnitNormal.Survival(a.R*math.Sqrt(n)) < autocorrelationAlpha
}

// correlations are those of the ranks of neighbours, and of the next but one.
func correlations(inOrder []float64) (one, two float64) {
	r := ranks(inOrder)
	n := len(r)
	return stat.Correlation(r[:n-1], r[1:], nil), stat.Correlation(r[:n-2], r[2:], nil)
}

// ranks are the values' ranks in order of measuring, ties getting their mean.
func ranks(inOrder []float64) []float64 {
	sorted, out := slices.Sorted(slices.Values(inOrder)), make([]float64, len(inOrder))
	for i, x := range inOrder {
		out[i] = below(sorted, x) + 0.5
	}
	return out
}

// minOutliers is how many values say what is usual.
const minOutliers = 10

// Outliers are the places, in order of measuring, of values beyond Tukey's outer fences (3 interquartile ranges) on the log scale:
// times are skewed, and twice as long is as far as half as long.
func (s *Sample) Outliers() (places []int) {
	if s.N() < minOutliers {
		return nil
	}
	logs := func(x float64) float64 { return math.Log(math.Max(x, 1e-3)) } // a REPORT has 0.01 ms
	q1, q3 := logs(s.Quantile(0.25)), logs(s.Quantile(0.75))
	fence := 3 * (q3 - q1)
	if fence == 0 {
		return nil
	}
	for i, x := range s.inOrder {
		if l := logs(x); l < q1-fence || l > q3+fence {
			places = append(places, i)
		}
	}
	return places
}

// Drift is a change between the first and the second half of a sample.
type Drift struct {
	Ratio float64 // median of the second half / of the first
	P     float64
}

// What counts as drift. Many arms are looked at, so the level is strict; below 5 % nobody would act on it.
const (
	driftAlpha = 0.001
	driftRatio = 0.05
	minDrift   = 20 // values
)

// Drift tells whether the second half of the sample, in order of measuring, differs from the first.
func (s *Sample) Drift() (d Drift, found bool) {
	if s.N() < minDrift {
		return Drift{}, false
	}
	first, second := NewSample(s.inOrder[:s.N()/2]), NewSample(s.inOrder[s.N()/2:])
	d = Drift{Ratio: second.Quantile(0.5) / first.Quantile(0.5), P: RankSum(first.Values(), second.Values())}
	return d, d.P < driftAlpha && (d.Ratio < 1-driftRatio || d.Ratio > 1+driftRatio)
}
