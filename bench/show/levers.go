package show

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
)

// leverTables shows the levers. A run under load has no such table, because the answers name its levers.
func leverTables(r *report.Report) (out []table.Table) {
	if slices.ContainsFunc(r.Arms, underLoad) {
		return nil
	}
	for _, l := range r.Levers {
		out = append(out, filled(leversTable(r, &l), guidedTable(r, &l))...)
	}
	return out
}

// leversTable shows what each lever does, against the baseline.
func leversTable(r *report.Report, l *report.Levers) table.Table {
	g := table.Table{ID: "levers-" + string(l.Source), Title: banner(r) + "Ratio to " + l.Baseline + " [95 % CI]",
		Heads: table.Heads(1, "lever", "INIT", "cold total", "wait", "warm", "wait\np99", "before\nINIT", "USD/M\nmore",
			"USD/month\nmore"),
		Note: note("levers", []any{stat.MinP99, percentShare(l.Share), l.Monthly / 1e6, l})}
	for i := range l.Rows {
		row := &l.Rows[i]
		cells := []string{strings.TrimSpace(row.Lever + " " + row.Level)}
		for _, clock := range []report.Clock{report.ClockInit, report.ClockTotal, report.ClockWait, report.ClockWarm} {
			cells = append(cells, gained(row.Gains, clock, false))
		}
		month := opt("%+.3f", row.Month)
		if ci := row.MonthCI; ci != nil {
			month += fmt.Sprintf(" [%.3f, %.3f]%s", ci[0], ci[1], map[bool]string{true: "*"}[row.Told])
		}
		g.Add(append(cells, interval(row.WaitP99, row.WaitP99CI), ms(row.Before), opt("%+.3f", row.USD), month)...)
	}
	return g
}

// guidedTable compares our warm Durations with the figures that guides would get from the same calls: for the baseline
// and for each level of memory.
func guidedTable(r *report.Report, l *report.Levers) table.Table {
	g := table.Table{ID: "guided-" + string(l.Source), Title: banner(r) + "Warm Duration as tuning guides measure it, ms",
		Heads: table.Heads(1, "lever", "guides", "from", "to", "environments", "ours [95 % CI]"),
		Note:  note("guided", nil)}
	add := func(name string, x *report.Guided) {
		if x != nil {
			g.Add(name, ms(&x.Median), ms(&x.Least), ms(&x.Most), count(x.Environments), interval(x.Ours, x.CI))
		}
	}
	add("baseline", l.Guided)
	for _, row := range l.Rows {
		if row.Lever == "memory" {
			add(row.Lever+" "+row.Level, row.Guided)
		}
	}
	return g
}

// gained shows a gain as a ratio, or in ms.
func gained(all report.Gains, clock report.Clock, inMs bool) string {
	g := all.By(clock)
	switch sign := map[bool]string{true: "*"}; {
	case g == nil:
		return none
	case inMs:
		return interval(&g.Ms, &g.MsCI) + sign[g.Told]
	default:
		return fmt.Sprintf("%.2f [%.2f, %.2f]%s", g.Ratio, g.CI[0], g.CI[1], sign[g.Told])
	}
}

// stepTables returns the tables of the ladder and of the other steps, if there are any.
func stepTables(r *report.Report) []table.Table {
	return filled(stepsTable(r, true), stepsTable(r, false))
}

// stepsTable shows the rungs of the ladder in ms, since they add up, or the other steps as ratios.
func stepsTable(r *report.Report, rungs bool) table.Table {
	t := table.Table{ID: "steps", Title: "One thing changed, all else equal: ratio [95 % CI]"}
	if rungs {
		t = table.Table{ID: "ladder", Title: "What each step adds within a language, ms [95 % CI]"}
	}
	t.Title, t.Note = banner(r)+t.Title, note(t.ID, nil)
	steps := slices.DeleteFunc(slices.Clone(r.Steps), func(s report.Step) bool { return s.Rung != rungs })
	t.Heads = table.Heads(2, "of", "step")
	for _, s := range steps {
		t.Add(s.Of, s.Step)
	}
	for _, clock := range report.StepClocks {
		t.Heads = append(t.Heads, table.Head{Text: string(clock)})
		for i, s := range steps {
			t.Rows[i].Cells = append(t.Rows[i].Cells, gained(s.Gains, clock, rungs))
		}
	}
	return t.Filled()
}
