package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Autocorrelation is reported if it is significant and large enough. The level is strict because many arms are
// tested.
const (
	autocorrelationAlpha = 0.001
	autocorrelationLeast = 0.2
)

// Autocorrelation says how much a value depends on the one before it.
type Autocorrelation struct {
	R         float64 // correlation of ranks at lag 1, so that an outlier counts as one value
	Effective float64 // how many independent values would say as much about the mean
}

// Autocorrelation reports whether neighbours in order of measuring are correlated. If they are, intervals for
// independent values are too narrow.
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

// minOutliers is how many values it takes to look for outliers.
const minOutliers = 10

// Outliers returns the indices, in order of measuring, of values beyond Tukey's outer fences (3 interquartile ranges)
// on the log scale. Times are skewed: twice as long is as far off as half as long.
func (s *Sample) Outliers() (places []int) {
	if s.N() < minOutliers {
		return nil
	}
	logs := func(x float64) float64 { return math.Log(math.Max(x, 1e-3)) } // a REPORT's smallest time is 0.01 ms
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

// Drift is reported if it is significant and at least 5 %. The level is strict because many arms are tested.
const (
	driftAlpha = 0.001
	driftRatio = 0.05
	minDrift   = 20 // values
)

// Drift reports whether the second half of the sample, in order of measuring, differs from the first.
func (s *Sample) Drift() (d Drift, found bool) {
	if s.N() < minDrift {
		return Drift{}, false
	}
	first, second := NewSample(s.inOrder[:s.N()/2]), NewSample(s.inOrder[s.N()/2:])
	d = Drift{Ratio: second.Quantile(0.5) / first.Quantile(0.5), P: RankSum(first.Values(), second.Values())}
	return d, d.P < driftAlpha && (d.Ratio < 1-driftRatio || d.Ratio > 1+driftRatio)
}
