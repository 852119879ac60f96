package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// correction is what dependence between neighbours takes from a rank test.
type correction struct {
	inflation float64 // of the variance; 1 where nothing is corrected
	df        float64 // of Student's t in place of the normal: so few independent values know their own spread badly
}

// serialAlpha is from where on autocorrelation is corrected for. It is lenient: an arm that is corrected without need loses a little power.
const serialAlpha = 0.05

// newCorrection looks at values in order of measuring: an AR(1) with their correlation at lag 1 has the variance of its mean inflated by
// (1+r)/(1-r).
func newCorrection(inOrder []float64) correction {
	none := correction{1, math.Inf(1)}
	n := float64(len(inOrder))
	if len(inOrder) < minAutocorrelation {
		return none
	}
	r := lag1(inOrder)
	if math.IsNaN(r) || distuv.UnitNormal.Survival(r*math.Sqrt(n)) >= serialAlpha {
		return none
	}
	r = math.Min(0.95, r+(1+3*r)/n) // its bias (Kendall 1954)
	inflation := (1 + r) / (1 - r)
	return correction{inflation, math.Max(2, n/inflation-1)}
}

// pooled is the correction of two samples that were not measured together.
func pooled(a, b []float64) correction {
	x, y := newCorrection(a), newCorrection(b)
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
