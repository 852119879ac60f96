package compare

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// countedRow compares two values that were counted once for a package, by their standard errors; ok is false where they were not, or not
// in the same way.
func countedRow(metric report.Metric, a *report.Arm, before, after *report.Report, old string) (r Row, ok bool) {
	from, ok := before.Counted(old, metric)
	to, ok2 := after.Counted(a.Arm, metric)
	if !ok || !ok2 || from.By != to.By {
		return r, false
	}
	r = Row{Metric: metric.Name, Unit: metric.Unit, Arm: a.Arm, Source: a.Source, Old: countedSide(from), New: countedSide(to), Delta: round(to.Value - from.Value), Counted: to.By,
		id: a.ID, old: stat.NewSample([]float64{from.Value}), new: stat.NewSample([]float64{to.Value})}
	if from.Value > 0 && to.Value > 0 {
		ratio := to.Value / from.Value
		spread := z95 * math.Hypot(from.StandardError/from.Value, to.StandardError/to.Value)
		r.Ratio, r.CI = new(round(ratio)), &[2]float64{round(ratio * (1 - spread)), round(ratio * (1 + spread))}
	}
	return r, true
}

// z95 is the normal distribution's.
var z95 = distuv.UnitNormal.Quantile(1 - (1-stat.Confidence)/2)

func countedSide(c report.Counted) Side {
	return Side{N: 1, Median: round(c.Value), CI: &[2]float64{round(c.Value - z95*c.StandardError), round(c.Value + z95*c.StandardError)}}
}

// p is of the difference of two counted values. Without an error any difference is one.
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
