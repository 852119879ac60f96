package power

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
)

// recommend says which cell to take, what the other choices cost, and how sure that is.
func recommend(in Input, opening string, all []cell, chosen cell, currency string) string {
	var b strings.Builder
	goal := map[Strategy]string{Cost: "the cheapest", Speed: "the fastest", Balanced: fmt.Sprintf("the best balance of cost and speed (weight %g)", in.BalancedWeight)}[in.Strategy]
	fmt.Fprintf(&b, "%s: %s of the %d measured, at %s and %s per million invocations.", opening, goal, len(measured(all)), Milliseconds(chosen.AverageDuration), money(currency, 2, chosen.AveragePrice*1e6))
	for _, other := range []struct {
		what string
		by   Strategy
	}{{"Cheapest", Cost}, {"Fastest", Speed}} {
		v, err := best(all, other.by, 0)
		if err != nil || v.label == chosen.label {
			continue
		}
		fmt.Fprintf(&b, " %s is %s: %s, %s.", other.what, v.label, change("duration", v.AverageDuration, chosen.AverageDuration), change("cost", v.AveragePrice, chosen.AveragePrice))
	}
	if close := indistinct(all, chosen); len(close) > 0 {
		fmt.Fprintf(&b, " Medians of the duration at %s cannot be told from it with %d invocations each.", strings.Join(close, ", "), chosen.Invocations)
	}
	for _, c := range all {
		if c.Failed != "" {
			fmt.Fprintf(&b, " %s failed: %s.", c.label, strings.TrimSuffix(c.Failed, "."))
		}
	}
	return b.String()
}

// architectures compares the best of arm64 with the best of x86_64, if both were measured.
func architectures(in Input, all []cell) string {
	var bests []cell
	for _, a := range []arm.Architecture{arm.ARM64, arm.X8664} {
		c, err := best(slices.DeleteFunc(slices.Clone(all), func(c cell) bool { return c.architecture != string(a) }), in.Strategy, in.BalancedWeight)
		if err != nil {
			return ""
		}
		bests = append(bests, c)
	}
	a, b := bests[0], bests[1]
	told := "medians of the duration are told apart"
	switch {
	case a.Duration.P50Interval == nil || b.Duration.P50Interval == nil:
		told = "there are too few invocations for intervals"
	case len(indistinct(bests, a)) > 0:
		told = "medians of the duration cannot be told apart"
	}
	return fmt.Sprintf(" arm64 (%s) against x86_64 (%s): %s, %s; %s.", a.label, b.label, change("cost", a.AveragePrice, b.AveragePrice), change("duration", a.AverageDuration, b.AverageDuration), told)
}

// change says how x relates to base.
func change(what string, x, base float64) string {
	if base == 0 {
		return what + " not comparable"
	}
	return fmt.Sprintf("%s %+.0f %%", what, 100*(x/base-1))
}

// indistinct returns the cells whose interval of the median overlaps that of the chosen one.
func indistinct(all []cell, chosen cell) (out []string) {
	for _, c := range all {
		if c.label != chosen.label && c.Failed == "" && overlap(c.Value, chosen.Value) {
			out = append(out, c.label)
		}
	}
	return out
}

// overlap reports whether two medians of the duration cannot be told apart.
func overlap(a, b Value) bool {
	if a.Duration == nil || b.Duration == nil || a.Duration.P50Interval == nil || b.Duration.P50Interval == nil {
		return false
	}
	x, y := a.Duration.P50Interval, b.Duration.P50Interval
	return x[0] <= y[1] && y[0] <= x[1]
}

// warnings says what the figures cannot tell.
func warnings(p *Plan, values []Value) (out []string) {
	say := func(when bool, format string, of ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, of...))
		}
	}
	say(p.Num < stat.MinP99, "no p99: it takes %d invocations of each power value, these are %d", stat.MinP99, p.Num)
	for _, v := range values {
		at, ok := fmt.Sprintf("%d MB", v.Value), v.Failed == ""
		say(!ok, "%s is in no comparison: %s", at, v.Failed)
		say(ok && p.Cold && v.ColdStarts < v.Invocations, "%s: %d of %d invocations were no cold starts", at, v.Invocations-v.ColdStarts, v.Invocations)
		say(ok && !p.Cold && v.ColdStarts > v.Invocations/2, "%s: %d of %d invocations were cold starts, which the averages hold", at, v.ColdStarts, v.Invocations)
		say(ok && v.MaxMemoryUsedMB*10 >= v.Value*9, "%s: %d MB were used, little is left", at, v.MaxMemoryUsedMB)
		say(ok && v.FunctionErrors > 0, "%s: %d of %d invocations failed and were tried again (%s)", at, v.FunctionErrors, v.Invocations+v.FunctionErrors, v.LastError)
		say(v.AllowedErrors > 0, "%s: %d invocations ended with an allowed exception", at, v.AllowedErrors)
	}
	return out
}

// Milliseconds formats a duration with at least three digits.
func Milliseconds(ms float64) string {
	switch {
	case ms >= 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.2f ms", ms)
}

// Ends returns the cheapest and the fastest power value; nil if none was measured.
func Ends(values []Value) (cheapest, fastest *Value) {
	a, err := best(cells(values), Cost, 0)
	if err != nil {
		return nil, nil
	}
	b, _ := best(cells(values), Speed, 0)
	return &a.Value, &b.Value
}

const labNote = "Durations are the lab's, not AWS's; cost is what AWS would bill for them.\n"

// WriteText writes a result for a terminal.
func (o *Output) WriteText(w io.Writer) error {
	return (&Sweep{Best: Choice{Name: o.Name, Power: o.Power}, Recommendation: o.Recommendation, Functions: []*Output{o}}).WriteText(w)
}

// WriteText writes the result of one or several functions for a terminal: a table, a chart of the best function,
// notes, and last the recommendation.
func (s *Sweep) WriteText(w io.Writer) error {
	first, several := s.Functions[0], len(s.Functions) > 1
	of := first.Title() + " on " + first.Source + ", " + first.Kind()
	if several {
		of = fmt.Sprintf("%d functions on %s", len(s.Functions), first.Source)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, strategy %s, %d invocations of each power value, seed %d, %s\n", of, first.Strategy, first.Num, first.Seed, first.pricing())
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
	t := table.Table{Heads: table.Heads(0, "MB", "mean", "p50", "interval", "p90", "p99", "handler p50", "INIT p50", "billed p50", "cold", "used MB", currency+" / million")}
	for i := range o.ByPowerValue {
		v := &o.ByPowerValue[i]
		t.Rows = append(t.Rows, table.Row{Cells: v.cells(), Best: v.Failed == "" && v.Value == o.Power})
	}
	return t
}

// table has the rows of all functions, and a last column that marks the best one.
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

// barWidth is the length of the longest bar, in characters.
const barWidth = 30

// chart draws time and cost against memory, as bars from 0 to the largest value.
func chart(values []Value) table.Table {
	t := table.Table{Heads: append(table.Heads(0, "MB"), table.Heads(2, fmt.Sprintf("%-*s", barWidth, "time"), "cost")...)}
	shown := measured(cells(values))
	most := most(shown)
	bar := func(mark string, share float64) string { return strings.Repeat(mark, int(barWidth*share+0.5)) }
	for _, v := range shown {
		t.Add(fmt.Sprint(v.Value.Value), bar("t", share(v.AverageDuration, most.AverageDuration)), bar("c", share(v.AveragePrice, most.AveragePrice)))
	}
	return t
}
