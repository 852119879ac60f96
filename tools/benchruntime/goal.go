//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/probe"
)

// metric is a column that goals are about.
type metric struct {
	name    string
	samples func(*row) []float64       // one a round, where it has a distribution
	value   func(*row) (float64, bool) // where it is one number
}

var (
	initTime   = metric{name: "init", samples: func(r *row) []float64 { return r.init }}
	first      = metric{name: "first response", samples: func(r *row) []float64 { return r.first }}
	coldFirst  = metric{name: "first response, cold package", samples: func(r *row) []float64 { return r.coldFirst }}
	warm       = metric{name: "warm call", samples: func(r *row) []float64 { return r.warmMedian }}
	smallFirst = metric{name: fmt.Sprintf("first response at %d MB", smallMB), samples: func(r *row) []float64 { return r.smallFirst }}
	smallWarm  = metric{name: fmt.Sprintf("warm call at %d MB", smallMB), samples: func(r *row) []float64 { return r.smallWarmMedian }}
	megabytes  = metric{name: "package, MB", value: func(r *row) (float64, bool) { return float64(r.bytes) / 1e6, true }}
	zipped     = metric{name: "zipped, MB", value: func(r *row) (float64, bool) { return float64(r.zipped) / 1e6, true }}
	touched    = metric{name: "touched to the first response, KiB", value: func(r *row) (float64, bool) { return r.pages(0, true) }}
	read       = metric{name: "read to the first response, KiB", value: func(r *row) (float64, bool) { return r.pages(probe.DefaultReadAheadKiB, true) }}
	readToNext = metric{name: "read to /next, KiB", value: func(r *row) (float64, bool) { return r.pages(probe.DefaultReadAheadKiB, false) }}
)

// pages is what a cold start read of the package in KiB, with a read-ahead, to /next or to the first response.
func (r *row) pages(readAheadKiB int, toFirst bool) (float64, bool) {
	reads, ok := r.reads[readAheadKiB]
	switch {
	case !ok || toFirst && reads.First == nil:
		return 0, false
	case toFirst:
		return float64(reads.First.PackageKiB), true
	}
	return float64(reads.Next.PackageKiB), true
}

// goal is a limit on a row's metric: of the ratio to another row's, or, without another row, of the metric itself.
type goal struct {
	row   string
	of    metric
	to    string // the row compared with; "" compares with none
	toOf  metric // its metric, where it is another one
	limit float64
}

// The rows of others that goals compare with, by what their names contain.
const (
	static = "c-glibc-static"
	rust   = "rust"
)

// goals are what the bootstraps are held to. They do not say whether a first response is one with everything in memory or with a cold package: both are judged.
var goals = []goal{
	{row: rawsyscallProcess, of: initTime, to: static, limit: 1.3},
	{row: rawsyscallProcess, of: initTime, to: "lambdago", limit: 0.60},
	{row: "rawsyscall", of: first, to: "nethttp", limit: 0.65},
	{row: "rawsyscall", of: coldFirst, to: "nethttp", limit: 0.65},
	{row: "rawsyscall", of: smallFirst, to: "nethttp", limit: 0.2},
	{row: "rawsyscall", of: warm, to: "nethttp", limit: 1.0 / 12},
	{row: "rawsyscall", of: smallWarm, to: "nethttp", limit: 1.0 / 50},
	{row: "rawsyscall", of: megabytes, limit: 1.3},
	{row: "rawsyscall", of: touched, limit: 650},
	{row: "rawsyscall", of: read, limit: 1150},
	{row: "bashtcp-static", of: touched, limit: 280},
	{row: "bashtcp-static", of: read, limit: 400},
	{row: "bashtcp-static", of: read, to: rust, toOf: readToNext, limit: 0.5},
	{row: "bashtcp-static", of: first, to: rust, limit: 1.5},
	{row: "bashtcp-static", of: first, to: "nethttp", limit: 0.35},
	{row: "bashtcp-static", of: coldFirst, to: rust, limit: 1.5},
	{row: "bashtcp-static", of: coldFirst, to: "nethttp", limit: 0.35},
	{row: "bashtcp-static", of: warm, limit: 0.3},
	{row: "bashtcp-static", of: megabytes, limit: 0.55},
	{row: "bashtcp-static", of: zipped, limit: 0.3},
}

// Finding is how a goal came out.
type Finding struct {
	Goal     string         `json:"goal"`
	Limit    float64        `json:"limit"`
	Value    *float64       `json:"value,omitempty"` // absent: not measured
	Interval *stat.Interval `json:"interval95,omitempty"`
	Outcome  string         `json:"outcome"` // "met", "not met", each with "?" where the interval holds the limit, or "not measured"
	Why      string         `json:"why,omitempty"`
}

// findings judges every goal by the rows of one run.
func findings(rows []*row) (all []Finding) {
	for _, g := range goals {
		all = append(all, g.judge(rows))
	}
	return all
}

func (g goal) judge(rows []*row) Finding {
	f := Finding{Goal: g.row + ": " + g.of.name, Limit: g.limit, Outcome: "not measured"}
	if g.to != "" {
		f.Goal += ", of " + g.to + "'s"
		if g.toOf.name != "" {
			f.Goal += " " + g.toOf.name
		}
	} else if g.of.samples != nil {
		f.Goal += ", ms"
	}
	a, ok := find(rows, g.row)
	if !ok {
		f.Why = "no row " + g.row
		return f
	}
	b, ok := find(rows, g.to)
	if g.to != "" && !ok {
		f.Why = fmt.Sprintf("no row %s: YARDSTICK=candidates.json adds it", g.to)
		return f
	}
	value, interval, ok := g.value(a, b)
	if !ok {
		f.Why = "no figure of " + g.of.name
		return f
	}
	f.Value = &value
	f.Outcome = "not met"
	if value <= g.limit {
		f.Outcome = "met"
	}
	if interval != nil {
		f.Interval = interval
		if interval.Lo <= g.limit && interval.Hi > g.limit {
			f.Outcome += "?"
		}
	}
	return f
}

// value is the metric of a, or its ratio to that of b, with an interval where there are samples. Both were measured in the same rounds, so that
// what a round does to all is cancelled: the ratio is that of pairs.
func (g goal) value(a, b *row) (float64, *stat.Interval, bool) {
	if g.of.value != nil {
		x, ok := g.of.value(a)
		if b == nil || !ok {
			return x, nil, ok
		}
		of := g.toOf
		if of.value == nil {
			of = g.of
		}
		y, ok := of.value(b)
		return x / y, nil, ok && y > 0
	}
	x := g.of.samples(a)
	if b == nil {
		summary := summarize(x)
		if summary == nil {
			return 0, nil, false
		}
		return summary.Median, summary.Interval, true
	}
	y := g.of.samples(b)
	logs := make([]float64, min(len(x), len(y)))
	for i := range logs {
		logs[i] = math.Log(x[i] / y[i])
	}
	p, ok := stat.Paired(logs, stat.Alpha, stat.Dependence{})
	if !ok {
		return 0, nil, false
	}
	return math.Exp(p.Estimate), &stat.Interval{Lo: math.Exp(p.CI.Lo), Hi: math.Exp(p.CI.Hi)}, true
}

// ofGoal are the rows that goals of a metric are about.
func ofGoal(rows []*row, m metric) (some []*row) {
	for _, r := range rows {
		if slices.ContainsFunc(goals, func(g goal) bool { return g.of.name == m.name && (g.row == r.name || g.to == r.name) }) {
			some = append(some, r)
		}
	}
	return some
}

// find is the row of a name, else one of somebody else's whose name contains it.
func find(rows []*row, name string) (*row, bool) {
	if name == "" {
		return nil, false
	}
	for _, r := range rows {
		if r.name == name {
			return r, true
		}
	}
	for _, r := range rows {
		if !r.echoes && strings.Contains(r.name, name) {
			return r, true
		}
	}
	return nil, false
}
