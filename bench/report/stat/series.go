package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/arm/list"
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
	Effective float64 // the number of independent values that would say as much about the mean
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

// correlations returns the correlations of ranks at lags 1 and 2.
func correlations(inOrder []float64) (one, two float64) {
	r := ranks(inOrder)
	n := len(r)
	return stat.Correlation(r[:n-1], r[1:], nil), stat.Correlation(r[:n-2], r[2:], nil)
}

// ranks returns the values' ranks in order of measuring. Ties get their mean rank.
func ranks(inOrder []float64) []float64 {
	sorted := slices.Sorted(slices.Values(inOrder))
	return list.Map(inOrder, func(x float64) float64 { return below(sorted, x) + 0.5 })
}

// minOutliers is the least number of values in which outliers are looked for.
const minOutliers = 10

// Outliers returns the indices, in order of measuring, of values beyond Tukey's outer fences (3 interquartile ranges)
// on the log scale. Times are skewed: twice as long is as far off as half as long.
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

// Dependence says how much a value depends on the ones before it.
type Dependence struct {
	R float64 // correlation with the next value
	Z float64 // distance from 0 in standard errors
}

// memory is the part of a dependence that is assumed to remain from value to value. An AR(1) process under equal
// white noise has a correlation of 0.25 that halves with each step; an AR(1) of 0.25 without noise is gone after two.
// 60 values cannot tell the two apart, so the worse one is assumed.
const memory = 0.5

// minSerial is the least number of values that say something about dependence.
const minSerial = 20

// Depends measures the dependence of values in order of measuring, at lags 1 and 2, weighted by memory. It uses
// ranks, so an outlier counts as one rank.
func Depends(inOrder []float64) (d Dependence) {
	if len(inOrder) < minSerial {
		return d
	}
	one, two := correlations(inOrder)
	if math.IsNaN(one) || math.IsNaN(two) { // all equal
		return d
	}
	sum := one + memory*two
	return Dependence{math.Max(one, sum/(1+memory*memory)), sum / math.Sqrt(1+memory*memory) * math.Sqrt(float64(len(inOrder)))}
}

// Shared combines the dependences of all pairs of arms. They count as arms-1 independent ones.
func Shared(pairs []Dependence, arms int) (mean Dependence) {
	for _, d := range pairs {
		mean.R += d.R / float64(len(pairs))
		mean.Z += d.Z / float64(len(pairs)) * math.Sqrt(float64(arms-1))
	}
	return mean
}

// serialZ is the Z above which dependence is corrected for. That also happens in 7 % of samples without dependence,
// which costs them a little power.
const serialZ = 1.5

// correction is the effect of dependence between neighbours on a rank test.
type correction struct {
	inflation float64 // of the variance; 1 if nothing is corrected
	df        float64 // of Student's t, in place of the normal distribution, because few independent values estimate their own spread badly
}

// newCorrection returns the correction for values in order of measuring, and for the dependence that arms share.
func newCorrection(inOrder []float64, shared Dependence) correction {
	own := Depends(inOrder)
	r := 0.0
	if own.Z > serialZ {
		r = own.R
	}
	if shared.Z > serialZ {
		r = math.Max(r, shared.R)
	}
	if !(r > 0) {
		return correction{1, math.Inf(1)}
	}
	n := float64(len(inOrder))
	inflation := inflation(math.Min(0.95, r+(1+3*r)/n)) // less its bias (Kendall 1954)
	return correction{inflation, math.Max(2, n/inflation-1)}
}

// inflation returns the factor by which a correlation that fades from value to value inflates a mean's variance:
// (1+r)/(1-r) for an AR(1).
func inflation(r float64) float64 { return 1 + 2*r/(1-math.Max(r, memory)) }

// pooled returns the correction of two samples that were not measured together.
func pooled(a, b []float64) correction {
	x, y := newCorrection(a, Dependence{}), newCorrection(b, Dependence{})
	n, m := float64(len(a)), float64(len(b))
	return correction{(x.inflation/n + y.inflation/m) / (1/n + 1/m), math.Min(x.df, y.df)}
}

// p returns the corrected p-value.
func (c correction) p(p float64) float64 {
	if c.inflation == 1 || p >= 1 {
		return p
	}
	z := distuv.UnitNormal.Quantile(1 - math.Max(p, 1e-300)/2)
	return 2 * distuv.StudentsT{Sigma: 1, Nu: c.df}.Survival(z/math.Sqrt(c.inflation))
}

// level returns the level that the test without correction must reach so that the corrected test reaches level.
func (c correction) level(level float64) float64 {
	if c.inflation == 1 {
		return level
	}
	return 2 * distuv.UnitNormal.Survival(c.quantile(level)*math.Sqrt(c.inflation))
}

// quantile returns how many standard errors an estimate lies off at a two-sided p-value.
func (c correction) quantile(p float64) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: c.df}.Quantile(1 - p/2)
}
