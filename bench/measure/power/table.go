package power

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/show/table"
)

// Table is a result's figures, a row for each power value. Durations with no other name are INIT + restore + handler.
func Table(o *Output) table.Table {
	currency := o.Currency
	if currency == price.USD {
		currency = "$"
	}
	t := table.Table{Heads: table.Heads(0, "MB", "mean", "p50", "interval", "p90", "p99", "handler p50", "INIT p50", "billed p50", "cold", "used MB", currency+" / million")}
	for i := range o.ByPowerValue {
		v := &o.ByPowerValue[i]
		t.Rows = append(t.Rows, table.Row{Cells: v.cells(), Best: v.Failed == "" && v.Value == o.Power})
	}
	return t
}

// marked is a table with a last column that says which row is the best.
func marked(t table.Table) table.Table {
	t.Heads = append(t.Heads, table.Head{Left: true})
	for i := range t.Rows {
		mark := ""
		if t.Rows[i].Best {
			mark = "<- best"
		}
		t.Rows[i].Cells = append(t.Rows[i].Cells, mark)
	}
	return t
}

// cells are the value's line of a table.
func (v *Value) cells() []string {
	mb, cold, used := fmt.Sprint(v.Value), fmt.Sprint(v.ColdStarts), table.None
	if v.MaxMemoryUsedMB > 0 {
		used = fmt.Sprint(v.MaxMemoryUsedMB)
	}
	if v.Failed != "" {
		return []string{mb, table.None, table.None, table.None, table.None, table.None, table.None, table.None, table.None, cold, used, table.None}
	}
	interval := table.None
	if i := v.Duration.P50Interval; i != nil {
		interval = fmt.Sprintf("%.4g to %.4g", i[0], i[1])
	}
	return []string{mb, Milliseconds(v.AverageDuration), median(v.Duration), interval, optional(v.Duration.P90), optional(v.Duration.P99),
		median(v.Handler), median(v.Init), median(v.Billed), cold, used, fmt.Sprintf("%.3f", v.AveragePrice*1e6)}
}

func median(s *Summary) string {
	if s == nil {
		return table.None
	}
	return optional(&s.P50)
}

func optional(ms *float64) string {
	if ms == nil {
		return table.None
	}
	return Milliseconds(*ms)
}

// barWidth is how long the longest bar is, in characters.
const barWidth = 30

// chart draws time and cost against memory, each as bars from 0 to its largest.
func chart(values []Value) table.Table {
	t := table.Table{Heads: append(table.Heads(0, "MB"), table.Heads(2, fmt.Sprintf("%-*s", barWidth, "time"), "cost")...)}
	shown := slices.DeleteFunc(slices.Clone(values), func(v Value) bool { return v.Failed != "" })
	most := most(cells(shown))
	bar := func(mark string, share float64) string { return strings.Repeat(mark, int(barWidth*share+0.5)) }
	for _, v := range shown {
		t.Add(fmt.Sprint(v.Value), bar("t", share(v.AverageDuration, most.AverageDuration)), bar("c", share(v.AveragePrice, most.AveragePrice)))
	}
	return t
}
