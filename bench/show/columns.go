package show

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// column is a column of a table for people.
type column struct {
	head string // may have two lines
	cell func(*report.Arm) string
}

const none = table.None

// armTable makes a table with a row for each arm, in the report's order.
func armTable(id, title string, r *report.Report, columns []column) table.Table {
	t := table.Table{ID: id, Title: title}
	for i, c := range columns {
		t.Heads = append(t.Heads, table.Head{Text: c.head, Left: i == 0})
	}
	best := winners(r)
	for i, a := range r.Arms {
		row := table.Row{Arm: strconv.Itoa(i), Best: slices.Contains(best, a.Arm)}
		for _, c := range columns {
			row.Cells = append(row.Cells, c.cell(a))
		}
		if a.InitCount+a.Warm.Count == 0 && a.LastError != "" {
			row.Cells = []string{a.Arm, "no sample that counts: " + a.LastError}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func initTable(r *report.Report) table.Table {
	return armTable("init", banner(r)+"INIT (Init Duration), ms", r, initColumns)
}

func otherTable(r *report.Report) table.Table {
	return armTable("other", banner(r)+"Size, other clocks (ms), memory, cost", r, otherColumns)
}

// filled returns the tables that have rows.
func filled(tables ...table.Table) []table.Table {
	return slices.DeleteFunc(tables, func(t table.Table) bool { return len(t.Rows) == 0 })
}

// notMeasured adds rows for the arms that have no figures, with the reasons.
func notMeasured(t table.Table, r *report.Report) table.Table {
	for _, n := range r.NotMeasured {
		t.Add(n.Arm, "not measured: "+n.Why)
	}
	return t
}

var armColumn = column{"arm", func(a *report.Arm) string { return a.Arm }}

// initColumns are the columns of INIT, in ms.
var initColumns = slices.Concat([]column{
	armColumn,
	{"n", func(a *report.Arm) string { return count(a.InitCount) }},
	{"mean", func(a *report.Arm) string { return ms(a.InitAverage) }},
}, quantileColumns(func(a *report.Arm) *report.Spread { return &a.Spread }, "p20 p40 p50* p60 p80 p90 p95 p99"))

// quantileColumns are quantiles by name, and the maximum. A quantile with a * shows its interval.
func quantileColumns(of func(*report.Arm) *report.Spread, names string) (out []column) {
	for name := range strings.FieldsSeq(names) {
		name, with := strings.CutSuffix(name, "*")
		i := slices.IndexFunc(new(report.Spread).Quantiles(), func(q report.Quantile) bool { return q.Name == name })
		head := strings.ReplaceAll(name, "_", ".")
		if with {
			head += " [95 % CI]"
		}
		out = append(out, column{head, func(a *report.Arm) string {
			q := of(a).Quantiles()[i]
			if with {
				return interval(*q.Value, *q.CI)
			}
			return ms(*q.Value)
		}})
	}
	return append(out, column{"max", func(a *report.Arm) string { return ms(of(a).Max) }})
}

// otherColumns are the columns of the table below INIT's. Times are in ms.
var otherColumns = []column{
	armColumn,
	{"package\nKiB", func(a *report.Arm) string { return kib(a.PackageSizeBytes) }},
	{"read KiB\nchunks", func(a *report.Arm) string { return pair(a.InitReadKiB, a.InitReadChunks) }},
	{"INIT predicted\non AWS", predicted},
	{"cold\ntotal p50", func(a *report.Arm) string { return ms(a.ColdTotal.P50) }},
	{"wait\np50", func(a *report.Arm) string { return ms(a.CallerWait.P50) }},
	{"warm\nn/env", replicates},
	{"warm\np50", func(a *report.Arm) string { return ms(a.Warm.P50) }},
	{"warm\np99", func(a *report.Arm) string { return ms(a.Warm.P99) }},
	{"memory\nMB", func(a *report.Arm) string { return opt("%d", a.MaxMemoryUsedMB) }},
	{"billed\nms", func(a *report.Arm) string { return pair(a.ColdBilled, a.WarmBilled) }},
	{"USD/M\ncold", func(a *report.Arm) string { return opt("%.3f", a.ColdCost) }},
	{"USD/M\nwarm", func(a *report.Arm) string { return opt("%.3f", a.WarmCost) }},
}

func count(n int) string {
	if n == 0 {
		return none
	}
	return strconv.Itoa(n)
}

// ms formats a time with its significant digits.
func ms(x *float64) string {
	if x == nil {
		return none
	}
	return report.Digits(*x)
}

func interval(x *float64, ci *[2]float64) string {
	if x == nil || ci == nil {
		return ms(x)
	}
	return fmt.Sprintf("%s [%s, %s]", ms(x), ms(&ci[0]), ms(&ci[1]))
}

// predicted returns a prediction with its interval. ~: it is outside the calibration. +: CPU and base are not in it.
func predicted(a *report.Arm) string {
	p := a.PredictedAWS
	switch {
	case p == nil && a.StandIn+a.ManagedRuntime != "":
		return "not predicted: " + cmp.Or(a.StandIn, a.ManagedRuntime)
	case p == nil:
		return none
	}
	if e := p.Estimate(); !e.Known() {
		return e.Text(1, "")
	}
	sign := ""
	if p.Extrapolated != "" || p.Borrowed != "" {
		sign = "~"
	}
	if p.PackageOnly {
		sign += "+"
	}
	return sign + p.Estimate().Text(1, "")
}

// pair formats two figures of which one may be missing.
func pair(x, y *float64) string {
	if x == nil && y == nil {
		return none
	}
	return opt("%.0f", x) + ", " + opt("%.0f", y)
}

// opt formats a figure that may be missing.
func opt[T any](format string, x *T) string {
	if x == nil {
		return none
	}
	return fmt.Sprintf(format, *x)
}

func kib(bytes int64) string {
	if bytes == 0 {
		return none
	}
	return strconv.FormatInt((bytes+512)/1024, 10)
}

func replicates(a *report.Arm) string {
	if a.Warm.Count == 0 {
		return none
	}
	return fmt.Sprintf("%d/%d", a.Warm.Count, a.Environments)
}
