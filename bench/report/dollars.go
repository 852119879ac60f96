package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Dollars is what a lever costs more than its baseline, at its table's share of cold starts and invocations a month.
// Intervals resample rounds and environments. There are none if there are fewer than 10 environments.
type Dollars struct {
	USD     *float64    `json:"usd_per_million_more"`
	USDCI   *[2]float64 `json:"usd_per_million_more_ci95"`
	Month   *float64    `json:"usd_a_month_more"` // with the hours of provisioned concurrency
	MonthCI *[2]float64 `json:"usd_a_month_more_ci95"`
	Told    bool        `json:"usd_told_apart"` // Month; only if a clock tells any lever apart

	sd float64 // of USD; 0 if unknown
}

// less returns the difference of two arms' costs at the report's share of cold starts.
func (c *ArmCost) less(base *ArmCost) (d Dollars) {
	if c == nil || base == nil {
		return d
	}
	d.USD = number(c.USD - base.USD)
	if c.draws != nil && base.draws != nil {
		draws := floats.SubTo(make([]float64, len(c.draws)), c.draws, base.draws)
		d.USDCI, d.sd = bounds(draws), stat.NewSample(draws).StdDev()
	}
	return d
}

// month converts costs from a million invocations to a month, and adds a fixed cost.
func (d *Dollars) month(invocations, fixed float64) {
	at := func(usd float64) float64 { return Round(usd*invocations/1e6 + fixed) }
	if d.USD != nil {
		d.Month = new(at(*d.USD))
	}
	if d.USDCI != nil {
		d.MonthCI = &[2]float64{at(d.USDCI[0]), at(d.USDCI[1])}
	}
	d.sd *= invocations / 1e6
}

// tellDollars marks the months that are told apart, by Holm over all levers. It marks none if no clock told a lever
// apart: so the table as a whole does not err more often. Bills vary between environments, so the t distribution has
// the degrees of freedom of the smallest number of environments.
func (l *Levers) tellDollars(alpha float64) {
	told := func(g Gain) bool { return g.Told }
	some := slices.ContainsFunc(l.Rows, func(row Lever) bool { return slices.ContainsFunc(row.Gains, told) })
	var ps []float64
	var of []*Dollars
	for i := range l.Rows {
		if d := &l.Rows[i].Dollars; some && d.MonthCI != nil && d.sd > 0 {
			t := distuv.StudentsT{Sigma: 1, Nu: stat.MinClusters - 1}
			ps, of = append(ps, 2*t.CDF(-math.Abs(*d.Month)/d.sd)), append(of, d)
		}
	}
	for i, p := range stat.Holm(ps) {
		of[i].Told = p < alpha
	}
}

// best returns the lever that gains most, or nil. It considers only levers that are told apart from the baseline, and
// not the null twin.
func (l *Levers) best(by func(*Lever) (gain float64, told bool)) (best *Lever) {
	most := 0.0
	for i := range l.Rows {
		if g, told := by(&l.Rows[i]); told && l.Rows[i].Lever != arm.Twin && g > most {
			best, most = &l.Rows[i], g
		}
	}
	return best
}

// answer names the lever that shortens a cold start most, and the lever that saves most USD, if they are told apart.
func (l *Levers) answer() Answer {
	a := Answer{Question: "Which lever next?", Source: l.Source, Clock: ClockTotal, Sure: aTie}
	fast := l.best(func(row *Lever) (float64, bool) {
		if g := row.Gains.By(ClockTotal); g != nil {
			return -math.Log(g.Ratio), g.Told
		}
		return 0, false
	})
	cheap := l.best(func(row *Lever) (float64, bool) { return -orZero(row.Month), row.Told })
	latency, dollars := "no lever is shown to cut latency", "no lever is shown to cut cost"
	if fast != nil {
		g := fast.Gains.By(ClockTotal)
		a.Ratio, a.CI, a.Sure = &g.Ratio, &g.CI, toldApart
		latency = fmt.Sprintf("the best next lever for %s is %s: %s less per cold start (%s), %s less per call",
			l.Baseline, fast.name(), ms(-g.Ms), percentChange(g.Ratio, g.CI), ms(-g.Ms*l.Share))
		if fast.Month != nil {
			latency += fmt.Sprintf(", at %s USD", fast.month95())
		}
	}
	if cheap != nil {
		a.Sure, dollars = toldApart, fmt.Sprintf("to cut cost it is %s, %s USD", cheap.name(), cheap.month95())
	}
	const text = "%s; %s (for %.3g million calls a month, %.3g %% of them cold)"
	a.Answer = fmt.Sprintf(text, latency, dollars, l.Monthly/1e6, 100*l.Share)
	return a
}

func (row *Lever) name() string { return row.Lever + " " + row.Level }

// month95 returns what a month costs more, with its interval.
func (d *Dollars) month95() string {
	if d.MonthCI == nil {
		return fmt.Sprintf("%+.3f", *d.Month)
	}
	return fmt.Sprintf("%+.3f [%+.3f, %+.3f]", *d.Month, d.MonthCI[0], d.MonthCI[1])
}
