//go:build linux

package benchmarks

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
)

// goal is a limit for a row's metric or, if to is set, for its ratio to another row's.
type goal struct {
	row   string
	of    *metric
	to    string  // the row compared with; "" compares with none
	toOf  *metric // that row's metric; nil means the same
	limit float64
}

// Parts of the names of YARDSTICK's rows that goals compare with.
const (
	static = "c-glibc-static"
	rust   = "rust"
)

// goals are the goals of the bootstraps. First responses have goals both with everything in memory and with
// a cold package.
var goals = []goal{
	{row: rawsyscallProcess, of: initTime, to: static, limit: 1.3},
	{row: rawsyscallProcess, of: initTime, to: "lambdago", limit: 0.60},
	{row: "rawsyscall", of: first, to: "nethttp", limit: 0.65},
	{row: "rawsyscall", of: coldFirst, to: "nethttp", limit: 0.65},
	{row: "rawsyscall", of: smallFirst, to: "nethttp", limit: 0.2},
	{row: "rawsyscall", of: warmMedian, to: "nethttp", limit: 1.0 / 12},
	{row: "rawsyscall", of: smallWarmMedian, to: "nethttp", limit: 1.0 / 50},
	{row: "rawsyscall", of: size, limit: 1.3},
	{row: "rawsyscall", of: touchedResponse, limit: 650},
	{row: "rawsyscall", of: readResponse, limit: 1150},
	{row: "bashtcp-static", of: touchedResponse, limit: 280},
	{row: "bashtcp-static", of: readResponse, limit: 400},
	{row: "bashtcp-static", of: readResponse, to: rust, toOf: readNext, limit: 0.5},
	{row: "bashtcp-static", of: first, to: rust, limit: 1.5},
	{row: "bashtcp-static", of: first, to: "nethttp", limit: 0.35},
	{row: "bashtcp-static", of: coldFirst, to: rust, limit: 1.5},
	{row: "bashtcp-static", of: coldFirst, to: "nethttp", limit: 0.35},
	{row: "bashtcp-static", of: warmMedian, limit: 0.3},
	{row: "bashtcp-static", of: size, limit: 0.55},
	{row: "bashtcp-static", of: zipped, limit: 0.3},
}

// String names the goal without its limit.
func (g goal) String() string {
	text := g.row + ": " + g.of.name
	if g.to == "" {
		if g.of == warmMedian {
			text += ", ms"
		}
		return text
	}
	text += ", of " + g.to + "'s"
	if g.toOf != nil {
		text += " " + g.toOf.name
	}
	return text
}

// judge returns the goal's figure in the rows of one run, and whether it meets the goal: "met" or "not met", with "?" if
// the interval includes the limit, or "not measured" and why.
func (g goal) judge(rows []*row) (value, outcome string) {
	a, b := find(rows, g.row), find(rows, g.to)
	switch {
	case a == nil:
		return table.None, "not measured: no row " + g.row
	case g.to != "" && b == nil:
		return table.None, fmt.Sprintf("not measured: no row %s, YARDSTICK=candidates.json adds it", g.to)
	}
	figure, interval, ok := g.value(a, b)
	if !ok {
		return table.None, "not measured: no figure of " + g.of.name
	}
	value, outcome = fmt.Sprintf("%.3g", figure), "not met"
	if figure <= g.limit {
		outcome = "met"
	}
	if interval == nil {
		return value, outcome
	}
	if interval.Lo <= g.limit && interval.Hi > g.limit {
		outcome += "?"
	}
	return fmt.Sprintf("%s [%.3g, %.3g]", value, interval.Lo, interval.Hi), outcome
}

// value is the metric of a, or its ratio to that of b, with an interval if there are samples. Both were measured in
// the same rounds. The ratio is that of pairs, so whatever slows down a whole round cancels out.
func (g goal) value(a, b *row) (float64, *stat.Interval, bool) {
	x := g.of.of(a)
	switch {
	case x == nil:
		return 0, nil, false
	case b == nil:
		return x.median, x.interval, true
	case x.n == 0:
		y := cmp.Or(g.toOf, g.of).of(b)
		if y == nil || y.median == 0 {
			return 0, nil, false
		}
		return x.median / y.median, nil, true
	}
	of, to := a.samples[g.of], b.samples[g.of]
	logs := make([]float64, min(len(of), len(to)))
	for i := range logs {
		logs[i] = math.Log(of[i] / to[i])
	}
	p, ok := stat.Paired(logs, stat.Alpha, stat.Dependence{})
	if !ok {
		return 0, nil, false
	}
	return math.Exp(p.Estimate), &stat.Interval{Lo: math.Exp(p.CI.Lo), Hi: math.Exp(p.CI.Hi)}, true
}

// ofGoal returns the rows that a metric's goals are about.
func ofGoal(rows []*row, m *metric) (some []*row) {
	for _, r := range rows {
		if slices.ContainsFunc(goals, func(g goal) bool { return g.of == m && (g.row == r.name || g.to == r.name) }) {
			some = append(some, r)
		}
	}
	return some
}

// find returns the row with a name, or else a row of others whose name contains it, or nil.
func find(rows []*row, name string) *row {
	i := slices.IndexFunc(rows, func(r *row) bool { return r.name == name })
	if i < 0 && name != "" {
		i = slices.IndexFunc(rows, func(r *row) bool { return !r.echoes && strings.Contains(r.name, name) })
	}
	if i < 0 {
		return nil
	}
	return rows[i]
}
