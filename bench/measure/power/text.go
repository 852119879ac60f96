package power

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/show/table"
)

const labNote = "Durations are the lab's, not AWS's; cost is what AWS would bill for them.\n"

// WriteText writes the result of one or several functions for a terminal: a table, a chart of the best function,
// notes, and last the recommendation.
func (s *Sweep) WriteText(w io.Writer) error {
	first, several := s.Functions[0], len(s.Functions) > 1
	of := first.Title() + " on " + first.Source + ", " + first.Kind()
	if several {
		of = fmt.Sprintf("%d functions on %s", len(s.Functions), first.Source)
	}
	var b strings.Builder
	prices := fmt.Sprintf("prices of %s (%s)", first.PriceRegion, first.PricesAsOf)
	if first.Currency == units {
		prices = "no price for " + first.PriceRegion
	}
	fmt.Fprintf(&b, "%s, strategy %s, %d invocations of each power value, seed %d, %s\n",
		of, first.Strategy, first.Num, first.Seed, prices)
	if first.Source == "lab" {
		b.WriteString(labNote)
	}
	best := first
	var know, last []string
	cost := 0.0
	for _, o := range s.Functions {
		name := ""
		if several {
			name = o.Name + ": "
		}
		if o.Name == s.Best.Name {
			best = o
		}
		for _, warning := range o.Warnings {
			know = list.Add(know, "warning: "+warning)
		}
		if o.Optimised != "" {
			last = append(last, name+"applied: "+o.Optimised+".")
		}
		if o.NotOptimised != "" {
			last = append(last, name+"not applied: "+o.NotOptimised)
		}
		know = append(know, name+o.StateMachine.Visualization)
		cost += o.StateMachine.LambdaCost
	}
	bars := chart(best.ByPowerValue)
	if several {
		bars.Title = best.Name
	}
	for _, t := range []table.Table{s.table(), bars} {
		b.WriteString("\n" + t.Text(0))
	}
	b.WriteString("\n")
	for _, why := range s.Failed {
		b.WriteString("not measured: " + why + "\n")
	}
	if s.Visualization != "" {
		know = append(know, "both: "+s.Visualization)
	}
	b.WriteString(strings.Join(know, "\n") + "\nLambda cost of this tuning: " + money(first.Currency, 6, cost) + "\n\n")
	b.WriteString(strings.Join(append([]string{s.Recommendation}, last...), "\n") + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Table has a row of figures for each power value. Durations without another name are INIT + restore + handler.
func Table(o *Output) table.Table {
	currency := o.Currency
	if currency == price.USD {
		currency = "$"
	}
	t := table.Table{Heads: table.Heads(0, "MB", "mean", "p50", "interval", "p90", "p99",
		"handler p50", "INIT p50", "billed p50", "cold", "used MB", currency+" / million")}
	for i := range o.ByPowerValue {
		v := &o.ByPowerValue[i]
		t.Rows = append(t.Rows, table.Row{Cells: v.cells(), Best: v.Failed == "" && v.Value == o.Power})
	}
	return t
}

// table has the rows of all functions. Its last column marks the best row.
func (s *Sweep) table() (all table.Table) {
	several := len(s.Functions) > 1
	for _, o := range s.Functions {
		t := Table(o)
		t.Heads = append(t.Heads, table.Head{Left: true})
		all.Heads = t.Heads
		for _, r := range t.Rows {
			mark := ""
			if r.Best && o.Name == s.Best.Name {
				mark = "<- best"
			}
			if r.Cells = append(r.Cells, mark); several {
				r.Cells = append([]string{o.Name, o.Kind()}, r.Cells...)
			}
			all.Add(r.Cells...)
		}
	}
	if several {
		all.Heads = append(table.Heads(2, "function", "is"), all.Heads...)
	}
	return all
}

// cells returns the value's row of a table.
func (v *Value) cells() []string {
	mb, cold, used := fmt.Sprint(v.Value), fmt.Sprint(v.ColdStarts), table.None
	if v.MaxMemoryUsedMB > 0 {
		used = fmt.Sprint(v.MaxMemoryUsedMB)
	}
	if v.Failed != "" {
		return slices.Concat([]string{mb}, slices.Repeat([]string{table.None}, 8), []string{cold, used, table.None})
	}
	interval := table.None
	if i := v.Duration.P50Interval; i != nil {
		interval = fmt.Sprintf("%.4g to %.4g", i[0], i[1])
	}
	return []string{
		mb, Milliseconds(v.AverageDuration), median(v.Duration), interval, optional(v.Duration.P90), optional(v.Duration.P99),
		median(v.Handler), median(v.Init), median(v.Billed), cold, used, fmt.Sprintf("%.3f", v.AveragePrice*1e6),
	}
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

// barWidth is the length of the longest bar, in characters.
const barWidth = 30

// chart draws time and cost against memory, as bars from 0 to the largest value.
func chart(values []Value) table.Table {
	t := table.Table{Heads: append(table.Heads(0, "MB"), table.Heads(2, fmt.Sprintf("%-*s", barWidth, "time"), "cost")...)}
	shown := measured(cells(values))
	most := most(shown)
	bar := func(mark string, x, of float64) string { return strings.Repeat(mark, int(barWidth*share(x, of)+0.5)) }
	for _, v := range shown {
		time, cost := bar("t", v.AverageDuration, most.AverageDuration), bar("c", v.AveragePrice, most.AveragePrice)
		t.Add(fmt.Sprint(v.Value.Value), time, cost)
	}
	return t
}
