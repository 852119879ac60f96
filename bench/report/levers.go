package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Levers holds each lever of an experiment against its baseline.
type Levers struct {
	Source   record.Source `json:"source"`
	Baseline string        `json:"baseline"`
	Monthly  float64       `json:"invocations_a_month"` // that costs a month are for
	Share    float64       `json:"cold_share"`
	Guided   *Guided       `json:"guides_way,omitempty"` // of the baseline
	Rows     []Lever       `json:"levers"`               // in the order of arm.Levers, the null twin first
	Text     string        `json:"text,omitempty"`       // whether INIT grows with unread bytes
}

// Lever is one level of a lever.
type Lever struct {
	Arm       string      `json:"arm"`
	Lever     string      `json:"lever"`
	Level     string      `json:"level,omitempty"`
	Gains     Gains       `json:"gains"`
	WaitP99   *float64    `json:"caller_p99_ms"`
	WaitP99CI *[2]float64 `json:"caller_p99_ci95_ms"`
	Before    *float64    `json:"residual_p50_ms"` // of the caller's wait, before INIT
	Guided    *Guided     `json:"guides_way,omitempty"`
	Dollars
	Hour *float64 `json:"usd_an_hour,omitempty"` // of provisioned environments, used or not
	Text string   `json:"text,omitempty"`        // when provisioned environments pay

	ColdShare *float64 `json:"break_even_cold_share,omitempty"` // of calls on demand; above it provisioning is cheaper

	row, base *Load // nil if it was not under load
}

// Gain is what a lever does to one clock: the ratio of geometric means, within rounds if both arms have them.
type Gain struct {
	Clock Clock      `json:"clock"`
	Ratio float64    `json:"ratio"` // lever / baseline
	CI    [2]float64 `json:"ratio_ci95"`
	Ms    float64    `json:"ms"` // how much longer, by the median of differences
	MsCI  [2]float64 `json:"ms_ci95"`
	P     float64    `json:"p"`          // for this gain alone
	Told  bool       `json:"told_apart"` // after correction for all levers and clocks
}

// Gains are by clock.
type Gains []Gain

// By returns the gain by a clock, or nil.
func (all Gains) By(clock Clock) *Gain {
	if i := slices.IndexFunc(all, func(g Gain) bool { return g.Clock == clock }); i >= 0 {
		return &all[i]
	}
	return nil
}

// DefaultMonthly is the default number of invocations a month.
const DefaultMonthly = 1e6

// levers compares each lever of an experiment with its baseline. All comparisons of one baseline, the null twin's too,
// are one family (Holm): if no lever does anything, some lever is told apart in 5 % of reports.
func (b *builder) levers(rep *Report, all []*measured) {
	all = slices.DeleteFunc(slices.Clone(all), func(m *measured) bool { return m.group.lever == "" })
	for _, arms := range groupBy(all, setting) {
		i := slices.IndexFunc(arms, func(m *measured) bool { return m.group.lever == arm.Baseline })
		if i < 0 {
			continue
		}
		base := arms[i]
		out := Levers{Source: base.group.source, Baseline: base.label, Monthly: cmp.Or(b.opts.Monthly, DefaultMonthly),
			Share: b.coldShare(), Guided: guided(base)}
		slices.SortStableFunc(arms, func(x, y *measured) int {
			return cmp.Or(cmp.Compare(leverOrder(x), leverOrder(y)), cmp.Compare(x.group.memory, y.group.memory),
				cmp.Compare(x.label, y.label))
		})
		for _, m := range arms {
			if m != base {
				l := lever(m, base)
				if l.Lever == "provisioned" {
					l.Text = b.provisioned(&l, m, base, out.Monthly)
				}
				l.month(out.Monthly, hoursAMonth*orZero(l.Hour))
				out.Rows = append(out.Rows, l)
			}
		}
		tell(list.Map(out.Rows, func(l Lever) Gains { return l.Gains }), rep.Alpha)
		out.tellDollars(rep.Alpha)
		out.Text = out.sizes()
		rep.Levers = append(rep.Levers, out)
	}
}

func leverOrder(m *measured) int {
	return slices.IndexFunc(arm.Levers(), func(l arm.Lever) bool { return l.Name == m.group.lever })
}

func lever(m, base *measured) Lever {
	l := Lever{Arm: m.label, Lever: m.group.lever, Level: m.group.level, Gains: gains(m, base, allClocks),
		WaitP99: m.row.CallerWait.P99, WaitP99CI: m.row.CallerWait.P99CI, Before: m.row.ResidualMedian, Guided: guided(m),
		row: m.row.Load, base: base.row.Load}
	if x, y := m.row.Load, base.row.Load; x != nil && y != nil { // all of their requests, cold or warm
		l.WaitP99, l.WaitP99CI = x.Latency.P99, x.Latency.P99CI
		if x.USD != nil && y.USD != nil {
			l.USD = number(*x.USD - *y.USD)
		}
	} else {
		l.Dollars = m.cost.less(base.cost)
	}
	return l
}

// gains compares two arms by each clock that has enough samples of both.
func gains(m, base *measured, clocks []Clock) Gains {
	out := Gains{}
	for _, clock := range clocks {
		x, y := newCell(m, clock), newCell(base, clock)
		mounted := m.group.source == record.Lab && m.group.kind != base.group.kind // the lab mounts both alike
		laid := clock == ClockWait && laidOut(m.group, base.group)
		if m.group.loaded != nil || x.n < minCell || y.n < minCell || mounted || laid {
			continue
		}
		if e := contrast([]pair{{x, y}}); !math.IsNaN(e.P) { // else every value is the same
			d := distance(m, base, clock)
			out = append(out, Gain{Clock: clock, Ratio: Round(math.Exp(e.Estimate)), CI: exp(e.CI), P: e.P,
				Ms: Round(d.Estimate), MsCI: *rounded(d.CI)})
		}
	}
	return out
}

// laidOut reports whether the lab lays out different files for the two arms. It does so before INIT, as Lambda does,
// but Lambda may take another time for it.
func laidOut(x, y *group) bool {
	layers := x.lever == "layers" || x.lever == "extension" && x.level == "external"
	return x.source == record.Lab && (layers || x.sizeBytes != y.sizeBytes)
}

// tell marks the gains of a table that are told apart, by Holm over all of them.
func tell(table []Gains, alpha float64) {
	var all []*Gain
	for _, row := range table {
		for i := range row {
			all = append(all, &row[i])
		}
	}
	for i, p := range stat.Holm(list.Map(all, func(g *Gain) float64 { return g.P })) {
		all[i].Told = p < alpha
	}
}

// distance returns how much longer one arm takes than another, in ms. It compares within rounds if the arms share
// enough rounds, else over all values.
func distance(m, base *measured, clock Clock) (s stat.Shift) {
	var within []float64
	for i, x := range m.rounds[clock] {
		if d := x - base.rounds[clock][i]; !math.IsNaN(d) {
			within = append(within, d)
		}
	}
	if len(within) >= minCell {
		s, _ = stat.Paired(within, stat.Alpha, stat.Dependence{})
		// The interval does not reach beyond the differences that were seen.
		s.CI = stat.Interval{Lo: max(s.CI.Lo, slices.Min(within)), Hi: min(s.CI.Hi, slices.Max(within))}
		return s
	}
	s, _ = stat.Unpaired(m.tests[clock].InOrder(), base.tests[clock].InOrder(), stat.Alpha)
	return s
}

// sizes answers whether unread bytes make INIT longer, and from which size on. The published threshold is 5 MB.
func (l *Levers) sizes() string {
	var told, not *Gain
	from, upTo, text := 0, 0, ""
	for i := range l.Rows {
		mb, err := strconv.Atoi(l.Rows[i].Level)
		g := l.Rows[i].Gains.By(ClockInit)
		switch {
		case l.Rows[i].Lever != "size" || err != nil || g == nil:
		case g.Told && g.Ratio > 1 && (told == nil || mb < from):
			told, from = g, mb
		case !(g.Told && g.Ratio > 1) && mb > upTo:
			not, upTo = g, mb
		}
	}
	switch {
	case told != nil:
		text = fmt.Sprintf("INIT grows from %d MB on: %s (published: from 5 MB on)", from,
			percentChange(told.Ratio, told.CI))
	case not != nil:
		text = fmt.Sprintf("INIT is not shown to grow up to %d MB: %s (published: from 5 MB on)", upTo,
			percentChange(not.Ratio, not.CI))
	}
	if text != "" && l.Source == record.Lab {
		text += ". Download and unpacking come before INIT: only AWS can say how long they take"
	}
	return text
}

// Guides measure a warm Duration with guidesMeasured calls of one environment, after guidesWarmUps calls.
const (
	guidesWarmUps  = 5
	guidesMeasured = 100
)

// Guided is the warm Duration in ms as guides measure it, and the median over all calls of all environments. Guides
// measure one environment, which says nothing about others.
type Guided struct {
	Median       float64     `json:"median_ms"` // of the first environment that served enough calls
	Least        float64     `json:"least_ms"`  // least median of all environments that did
	Most         float64     `json:"most_ms"`
	Environments int         `json:"environments"`
	Ours         *float64    `json:"ours_p50_ms"`
	CI           *[2]float64 `json:"ours_ci95"` // environments resampled
}

// guided returns nil if no environment served enough calls.
func guided(m *measured) *Guided {
	medians := list.Map(slices.DeleteFunc(slices.Clone(m.environments),
		func(e []float64) bool { return len(e) < guidesWarmUps+guidesMeasured }),
		func(e []float64) float64 { return Round(middle(e[guidesWarmUps:][:guidesMeasured])) })
	if len(medians) == 0 || m.group.loaded != nil {
		return nil
	}
	return &Guided{Median: medians[0], Least: slices.Min(medians), Most: slices.Max(medians), Environments: len(medians),
		Ours: m.row.Warm.P50, CI: m.row.Warm.P50CI}
}
