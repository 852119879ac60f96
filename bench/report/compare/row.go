package compare

import (
	"fmt"
	"math"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Row is one metric of one arm, in both runs.
type Row struct {
	Metric string        `json:"metric"`
	Unit   string        `json:"unit"`
	Arm    string        `json:"arm"`
	Source record.Source `json:"source"`
	Old    Side          `json:"old"`
	New    Side          `json:"new"`
	Ratio  *float64      `json:"ratio"`      // new / old, by Hodges and Lehmann over all pairs of values; null if old is 0
	CI     *[2]float64   `json:"ratio_ci95"` // from the same test as P, for all arms of the metric at once
	Delta  float64       `json:"delta"`      // new - old, difference of medians
	P      *float64      `json:"p"`          // by rank sums, adjusted over the arms of the metric; null if exact
	Told   bool          `json:"told_apart"` // the interval excludes 1
	// Counted says how the values were counted, if each package has one counted value. P then comes from their standard
	// errors.
	Counted string `json:"counted_by,omitempty"`
	// Blind says why the row can never tell anything apart.
	Blind string `json:"too_few,omitempty"`

	id       string // the arm's id
	old, new *stat.Sample
}

// Side summarizes the values of one run.
type Side struct {
	N      int         `json:"n"`
	Median float64     `json:"median"`
	CI     *[2]float64 `json:"median_ci95"` // null below 6 values
}

// row makes a row from the samples of both runs. judge tests it.
func row(metric report.Metric, a *report.Arm, old, current *stat.Sample) *Row {
	r := &Row{Metric: metric.Name, Unit: metric.Unit, Arm: a.Arm, Source: a.Source, Old: side(old), New: side(current),
		id: a.ID, old: old, new: current}
	r.Delta = round(current.Quantile(0.5) - old.Quantile(0.5))
	if r.Old.Median > 0 {
		r.Ratio = new(round(r.New.Median / r.Old.Median))
	}
	return r
}

// test compares the row's samples and returns p. level is the level of this one test.
func (r *Row) test(level float64) (p float64) {
	s, ok := stat.Unpaired(report.Logs(r.new.InOrder()), report.Logs(r.old.InOrder()), level)
	if !ok {
		r.Blind = fmt.Sprintf("%d against %d values cannot reach p < %.2g", r.Old.N, r.New.N, level)
		return 1
	}
	r.Told = s.Told
	if r.Old.Median > 0 {
		r.Ratio, r.CI = ratio(s)
	}
	return s.P
}

// ratio returns the ratio of two times, and its interval, from their distance on the log scale.
func ratio(s stat.Shift) (*float64, *[2]float64) {
	return new(round(math.Exp(s.Estimate))), &[2]float64{round(math.Exp(s.CI.Lo)), round(math.Exp(s.CI.Hi))}
}

// adjust corrects a p-value for n tests (Sidak 1967).
func adjust(p float64, n int) float64 {
	return -math.Expm1(float64(n) * math.Log1p(-math.Min(p, 1-1e-16)))
}

func side(s *stat.Sample) Side {
	median, ci, ok := s.Median()
	out := Side{N: s.N(), Median: round(median)}
	if ok {
		out.CI = &[2]float64{round(ci.Lo), round(ci.Hi)}
	}
	return out
}

// judge tests the rows of one metric as one family.
func (c *Comparison) judge(rows []*Row, metric report.Metric) {
	level := stat.Sidak(c.Alpha, len(rows))
	for _, r := range rows {
		switch {
		case metric.Exact:
			r.Told = r.Delta != 0
		case r.Counted != "":
			p := r.countedP()
			r.P, r.Told = new(adjust(p, len(rows))), p < level
		default:
			r.P = new(adjust(r.test(level), len(rows)))
		}
	}
}

var round = report.Round
