package stat

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Dependence says how much a value depends on the ones before it.
type Dependence struct {
	R float64 // correlation with the next value
	Z float64 // distance from 0 in standard errors
}

// memory is the part of a dependence that is assumed to remain from value to value. A correlation of 0.25 can come from
// an AR(1) process with as much white noise: then it halves with each step. Or it can come from an AR(1) process alone:
// then it is gone after two steps. 60 values cannot tell these apart, so the worse one is assumed.
const memory = 0.5

// minSerial is how many values it takes to measure dependence.
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
	return Dependence{
		R: math.Max(one, sum/(1+memory*memory)),
		Z: sum / math.Sqrt(1+memory*memory) * math.Sqrt(float64(len(inOrder))),
	}
}

// correlations returns the correlations of ranks at lags 1 and 2.
func correlations(inOrder []float64) (one, two float64) {
	r := ranks(inOrder)
	n := len(r)
	return stat.Correlation(r[:n-1], r[1:], nil), stat.Correlation(r[:n-2], r[2:], nil)
}

// Shared combines the dependences of all pairs of arms. They count as arms-1 independent ones.
func Shared(pairs []Dependence, arms int) (mean Dependence) {
	for _, d := range pairs {
		mean.R += d.R / float64(len(pairs))
		mean.Z += d.Z / float64(len(pairs)) * math.Sqrt(float64(arms-1))
	}
	return mean
}

// serialZ is the Z above which dependence is corrected for. Without dependence 7 % of samples exceed it, too; they lose
// a little power.
const serialZ = 1.5

// correction is the effect of dependence between neighbours on a rank test.
type correction struct {
	inflation float64 // of the variance; 1 if nothing is corrected
	df        float64 // of Student's t, which replaces the normal distribution if there are few independent values
}

// newCorrection returns the correction for values in order of measuring. shared is the dependence that arms share.
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

// inflation returns the factor by which a correlation inflates the variance of a mean, if it fades from value to value:
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

// quantile returns the distance from 0, in standard errors, of an estimate that has a two-sided p-value of p.
func (c correction) quantile(p float64) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: c.df}.Quantile(1 - p/2)
}
