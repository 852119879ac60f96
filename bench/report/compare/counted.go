package compare

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// countedRow compares two values that were counted once for a package, by their standard errors. ok is false if
// either was not counted, or if they were counted in different ways.
func countedRow(metric report.Metric, old, a *report.Arm) (r *Row, ok bool) {
	from, ok := old.Counted(metric)
	to, ok2 := a.Counted(metric)
	if !ok || !ok2 || from.By != to.By {
		return r, false
	}
	r = row(metric, a, stat.NewSample([]float64{from.Value}), stat.NewSample([]float64{to.Value}))
	r.Old.CI, r.New.CI = around(from.Value, z95*from.StandardError), around(to.Value, z95*to.StandardError)
	r.Counted = to.By
	if r.Ratio != nil && to.Value > 0 {
		r.CI = around(*r.Ratio, *r.Ratio*z95*math.Hypot(from.StandardError/from.Value, to.StandardError/to.Value))
	}
	return r, true
}

// around returns the interval of a value, given half its width.
func around(x, half float64) *[2]float64 { return &[2]float64{round(x - half), round(x + half)} }

// z95 is the quantile of the normal distribution for 95 % intervals.
var z95 = distuv.UnitNormal.Quantile(1 - (1-stat.Confidence)/2)

// countedP returns the p-value of the difference of two counted values. If they have no error, any difference is
// significant.
func (r *Row) countedP() float64 {
	width := (r.Old.CI[1] - r.Old.CI[0]) / (2 * z95)
	other := (r.New.CI[1] - r.New.CI[0]) / (2 * z95)
	switch e := math.Hypot(width, other); {
	case r.Delta == 0:
		return 1
	case e == 0:
		return 0
	default:
		return 2 * distuv.UnitNormal.Survival(math.Abs(r.Delta)/e)
	}
}
