package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Dependence is how much a value tells of the next ones.
type Dependence struct {
	R float64 // correlation with the next value
	Z float64 // standard errors by which it lies above 0
}

// memory is how much of a dependence the next value still has, at least: an AR(1) under as much white noise is correlated with 0.25 and
// halves from there, where one of 0.25 without noise is gone after two values. 60 values do not tell the two, so the worse one is taken.
const memory = 0.5

// minSerial is how many values say something of dependence.
const minSerial = 20

// Depends looks at values in order of measuring, at lags 1 and 2 as memory weighs them. An outlier counts as one rank.
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

// Shared is what all pairs of so many arms say together of a dependence that arms have in common, as many say as arms less one that are
// independent of each other.
func Shared(pairs []Dependence, arms int) (mean Dependence) {
	for _, d := range pairs {
		mean.R += d.R / float64(len(pairs))
		mean.Z += d.Z / float64(len(pairs)) * math.Sqrt(float64(arms-1))
	}
	return mean
}

// serialZ is from where on dependence is corrected for, in 7 % of samples without any. It is lenient: an arm that is corrected without need
// loses a little power.
const serialZ = 1.5

// correction is what dependence between neighbours takes from a rank test.
type correction struct {
	inflation float64 // of the variance; 1 where nothing is corrected
	df        float64 // of Student's t in place of the normal: so few independent values know their own spread badly
}

// newCorrection is that of values in order of measuring, and of what arms have in common.
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

// inflation is that of a mean's variance by a correlation that fades from value to value: (1+r)/(1-r) of an AR(1).
func inflation(r float64) float64 { return 1 + 2*r/(1-math.Max(r, memory)) }

// pooled is the correction of two samples that were not measured together.
func pooled(a, b []float64) correction {
	x, y := newCorrection(a, Dependence{}), newCorrection(b, Dependence{})
	n, m := float64(len(a)), float64(len(b))
	return correction{(x.inflation/n + y.inflation/m) / (1/n + 1/m), math.Min(x.df, y.df)}
}

// p is the p-value of the test once corrected.
func (c correction) p(p float64) float64 {
	if c.inflation == 1 || p >= 1 {
		return p
	}
	z := distuv.UnitNormal.Quantile(1 - math.Max(p, 1e-300)/2)
	return 2 * distuv.StudentsT{Sigma: 1, Nu: c.df}.Survival(z/math.Sqrt(c.inflation))
}

// level is what the test without correction must reach so that the corrected one reaches level.
func (c correction) level(level float64) float64 {
	if c.inflation == 1 {
		return level
	}
	z := distuv.StudentsT{Sigma: 1, Nu: c.df}.Quantile(1-level/2) * math.Sqrt(c.inflation)
	return 2 * distuv.UnitNormal.Survival(z)
}
