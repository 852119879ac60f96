package compare

import (
	"fmt"
	"path"

	"github.com/twinstart/twinstart/bench/report/stat"
)

// Failure is a row that breaks a limit.
type Failure struct {
	Expression string      `json:"expression"`
	Arm        string      `json:"arm"`
	Metric     string      `json:"metric"`
	At         string      `json:"at"`
	Old        float64     `json:"old"`
	New        float64     `json:"new"`
	Unit       string      `json:"unit"`
	Ratio      *float64    `json:"ratio"`      // from the test
	CI         *[2]float64 `json:"ratio_ci95"` // of Ratio
	P          *float64    `json:"p"`
}

// String returns one line: the limit, the arm, both figures, and how sure the change is.
func (f Failure) String() string {
	change := ""
	if f.Old > 0 {
		change = fmt.Sprintf(" (%+.1f %%)", 100*(f.New/f.Old-1))
	}
	p := ""
	if f.P != nil {
		p = ", " + probability(*f.P)
	}
	if f.CI != nil {
		p = fmt.Sprintf(", ratio %.2f [%.2f, %.2f]", *f.Ratio, f.CI[0], f.CI[1]) + p
	}
	return fmt.Sprintf("%s: %s %s at the %s is %s %s, was %s%s%s",
		f.Expression, f.Arm, f.Metric, f.At, figure(f.New), f.Unit, figure(f.Old), change, p)
}

// Check adds the rows that break a limit to Failed. It returns an error if a limit cannot be judged, because no arm
// has the metric or an arm has too few values: a limit that cannot fail guards nothing.
func (c *Comparison) Check(expressions []Expression) error {
	c.limits = len(expressions)
	for _, e := range expressions {
		var rows []*Row
		for _, r := range c.Rows {
			if ok, _ := path.Match(e.Arms, r.id); r.Metric == e.Metric && (e.Arms == "" || ok) {
				rows = append(rows, r)
			}
		}
		blind, why := 0, ""
		for _, r := range rows {
			f, broken, few := e.judge(r, stat.Sidak(c.Alpha, len(rows)), len(rows))
			if few != "" {
				blind, why = blind+1, fmt.Sprintf("%s: %s", r.Arm, few)
			} else if broken {
				c.Failed = append(c.Failed, f)
			}
		}
		switch {
		case len(rows) == 0:
			return fmt.Errorf("%s cannot be judged: it names no arm that has %s in both runs", e.Text, e.Metric)
		case blind > 0:
			return fmt.Errorf("%s cannot be judged for %d of %d arms: %s; measure more (twinstart plan says how many)",
				e.Text, blind, len(rows), why)
		}
	}
	return nil
}

// judge reports whether a row breaks the limit; blind says why that cannot be judged. tests is the number of rows that
// are tested, each at the given level.
func (e Expression) judge(r *Row, level float64, tests int) (f Failure, broken bool, blind string) {
	f = Failure{Expression: e.Text, Arm: r.Arm, Metric: r.Metric, At: "median", Old: r.Old.Median, New: r.New.Median,
		Unit: r.Unit, Ratio: r.Ratio, CI: r.CI, P: r.P}
	broken, blind = r.Told, r.Blind
	if q := e.Quantile; q != 0.5 {
		f.At, f.Old, f.New = fmt.Sprintf("p%.0f", 100*q), round(r.old.Quantile(q)), round(r.new.Quantile(q))
		s := r.quantile(q, level)
		f.P, broken = new(adjust(s.P, tests)), s.Told
		f.Ratio, f.CI = ratio(s)
		if tail, ok := stat.Tail(min(r.Old.N, r.New.N)); !ok || tail < q {
			blind = fmt.Sprintf("%d against %d values are too few for %s", r.Old.N, r.New.N, f.At)
		}
	}
	limit := e.Limit
	if e.Relative {
		limit *= f.Old
	}
	return f, broken && f.New-f.Old > limit, blind
}

// quantile compares a quantile of the two runs. It resamples each run by itself.
func (r *Row) quantile(q, level float64) stat.Shift {
	current, old := stat.Rounds{r.new.InOrder()}, stat.Rounds{r.old.InOrder()}
	draws := stat.Draws{current.Quantile(q, 1, 1)[0], old.Quantile(q, 1, 2)[0]}
	s, _ := stat.Ratios([]float64{r.new.Quantile(q), r.old.Quantile(q)}, draws, level).Pair(0, 1)
	return s
}
