// Package compare compares two runs, arm by arm, as benchstat does: did anything get slower?
package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Schema is the version of the JSON form.
const Schema = 1

// Comparison is a table with a row for each arm and metric.
type Comparison struct {
	Schema   int             `json:"schema"`
	Sources  []record.Source `json:"sources"` // of both; one, unless mixing was asked for
	Alpha    float64         `json:"alpha"`
	Method   string          `json:"method"`
	Rows     []*Row          `json:"rows"` // by metric, in the order of the arms of the new run
	OnlyOld  []string        `json:"only_old"`
	OnlyNew  []string        `json:"only_new"`
	Warnings []string        `json:"warnings"`
	Failed   []Failure       `json:"failed"` // rows that break an expression

	limits int // number of expressions that were checked
}

// Row is one metric of one arm.
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
	P      *float64      `json:"p"`          // rank sums, adjusted over the arms of the metric; null for exact metrics
	Told   bool          `json:"told_apart"` // the interval excludes 1
	// Counted says how values were counted that exist once for a package. P then comes from their standard errors.
	Counted string `json:"counted_by,omitempty"`
	// Blind says why the row can never tell anything apart.
	Blind string `json:"too_few,omitempty"`

	id       string // the arm's id
	old, new *stat.Sample
}

// Side summarizes one run's values.
type Side struct {
	N      int         `json:"n"`
	Median float64     `json:"median"`
	CI     *[2]float64 `json:"median_ci95"` // null below 6 values
}

// Options of a comparison. The zero value works.
type Options struct {
	MixSources bool // compare lab with AWS all the same
}

// key identifies the same arm in both runs. Run, region and experiment may differ.
type key struct {
	id           string
	memory       int
	architecture arm.Architecture
	handler      string
	published    string
	source       record.Source
}

// Reports compares two reports.
func Reports(before, after *report.Report, o Options) (*Comparison, error) {
	c := &Comparison{Schema: Schema, Alpha: min(before.Alpha, after.Alpha), Sources: slices.Concat(before.Sources, after.Sources), Rows: []*Row{},
		Warnings: []string{}, Failed: []Failure{}}
	slices.Sort(c.Sources)
	c.Sources = slices.Compact(c.Sources)
	if len(c.Sources) > 1 && !o.MixSources {
		return nil, fmt.Errorf("the runs are from %s and %s: their times cannot be compared; ask for it all the same with --mix-sources", c.Sources[0], c.Sources[1])
	}
	c.Method = fmt.Sprintf("medians with %.0f %% intervals by order statistics; change: Hodges and Lehmann's, its interval and p by rank sums over all arms of a metric (Sidak); ~ where p >= %g",
		100*stat.Confidence, c.Alpha)
	keyOf := func(a *report.Arm) key {
		k := key{a.ID, a.MemorySizeMB, a.Architecture, a.Handler, a.Published, a.Source}
		if o.MixSources {
			k.source = ""
		}
		return k
	}
	var arms [2]map[key]*report.Arm // of OLD and NEW
	for side, r := range []*report.Report{before, after} {
		arms[side] = map[key]*report.Arm{}
		for _, a := range r.Arms {
			if twice := arms[side][keyOf(a)]; twice != nil {
				return nil, fmt.Errorf("%s has %s twice (%s, %s): compare one run with one run",
					[]string{"OLD", "NEW"}[side], a.ID, twice.Arm, a.Arm)
			}
			arms[side][keyOf(a)] = a
		}
	}
	missing := func(r *report.Report, in map[key]*report.Arm) []string {
		alone := slices.DeleteFunc(slices.Clone(r.Arms), func(a *report.Arm) bool { return in[keyOf(a)] != nil })
		return list.Map(alone, func(a *report.Arm) string { return a.Arm })
	}
	c.OnlyOld, c.OnlyNew = missing(before, arms[1]), missing(after, arms[0])
	if len(c.OnlyNew) == len(after.Arms) {
		return nil, fmt.Errorf("the runs have no arm in common: OLD has %s; NEW has %s; two packages are compared in one run: twinstart run OLD.zip NEW.zip", names(before), names(after))
	}
	for _, metric := range report.Metrics() {
		first := len(c.Rows)
		for _, a := range after.Arms {
			was := arms[0][keyOf(a)]
			if was == nil {
				continue
			}
			if r, ok := countedRow(metric, was, a); ok {
				c.Rows = append(c.Rows, r)
			} else if old, current := was.Measure(metric), a.Measure(metric); old.N() > 0 && current.N() > 0 {
				c.Rows = append(c.Rows, row(metric, a, old, current))
			}
		}
		c.judge(c.Rows[first:], metric)
	}
	c.warn(before, after)
	return c, nil
}

func names(r *report.Report) string {
	return strings.Join(list.Few(list.Map(r.Arms, func(a *report.Arm) string { return a.Arm }), 5), ", ")
}

func row(metric report.Metric, a *report.Arm, old, current *stat.Sample) *Row {
	r := &Row{Metric: metric.Name, Unit: metric.Unit, Arm: a.Arm, Source: a.Source, Old: side(old), New: side(current), id: a.ID, old: old, new: current}
	r.Delta = round(current.Quantile(0.5) - old.Quantile(0.5))
	if r.Old.Median > 0 {
		r.Ratio = new(round(r.New.Median / r.Old.Median))
	}
	return r
}

// test compares the row's samples at the level of one arm.
func (r *Row) test(level float64) (p float64) {
	s, ok := stat.Unpaired(report.Logs(r.new.InOrder()), report.Logs(r.old.InOrder()), level)
	if !ok {
		r.Blind = fmt.Sprintf("%d against %d values cannot reach p < %.2g", r.Old.N, r.New.N, level)
		return 1
	}
	r.Told = s.Told
	if r.Old.Median > 0 {
		r.Ratio, r.CI = new(round(math.Exp(s.Estimate))), &[2]float64{round(math.Exp(s.CI.Lo)), round(math.Exp(s.CI.Hi))}
	}
	return s.P
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

func round(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// countedRow compares two values that were counted once for a package, by their standard errors. ok is false if they
// were not counted, or not in the same way.
func countedRow(metric report.Metric, old, a *report.Arm) (r *Row, ok bool) {
	from, ok := old.Counted(metric)
	to, ok2 := a.Counted(metric)
	if !ok || !ok2 || from.By != to.By {
		return r, false
	}
	r = row(metric, a, stat.NewSample([]float64{from.Value}), stat.NewSample([]float64{to.Value}))
	r.Old.CI, r.New.CI, r.Counted = around(from.Value, z95*from.StandardError), around(to.Value, z95*to.StandardError), to.By
	if r.Ratio != nil && to.Value > 0 {
		r.CI = around(*r.Ratio, *r.Ratio*z95*math.Hypot(from.StandardError/from.Value, to.StandardError/to.Value))
	}
	return r, true
}

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
