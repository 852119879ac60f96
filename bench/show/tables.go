package show

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
)

// furtherTables returns the tables after the verdict.
func furtherTables(r *report.Report, o Options) (out []table.Table) {
	if o.Phases {
		out = phaseTables(r)
	}
	return append(out, filled(indexTable(r), costsTable(r), baselineTable(r), outlierTable(r))...)
}

// leverTables shows levers, except under load, where answers say it.
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
	g := table.Table{ID: "levers-" + string(l.Source), Title: fmt.Sprintf("%sEach lever against %s, ratio [95 %% CI]", banner(r), l.Baseline),
		Heads: table.Heads(1, "lever", "INIT", "cold total", "wait", "warm", "wait\np99", "before\nINIT", "USD/M\nmore", "USD/month\nmore"),
		Note: fmt.Sprintf("*: told apart, after correction for all levers and clocks of the table; the null twin is the baseline measured twice. "+
			"A p99 needs %d cold starts. USD: at %s cold, a month of %.3g million invocations, what is paid by the hour included.",
			stat.MinP99, percentShare(l.Share), l.Monthly/1e6)}
	if l.Text != "" {
		g.Note += " " + l.Text + "."
	}
	for i := range l.Rows {
		row := &l.Rows[i]
		if row.Text != "" {
			g.Note += fmt.Sprintf(" %s %s: %s.", row.Lever, row.Level, row.Text)
		}
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

// guidedTable sets the guides' way to a warm Duration beside ours, for the baseline and each level of memory.
func guidedTable(r *report.Report, l *report.Levers) table.Table {
	g := table.Table{ID: "guided-" + string(l.Source), Title: banner(r) + "Warm Duration by the guides' way, ms", Heads: table.Heads(1, "lever", "guides", "from", "to", "environments", "ours [95 % CI]"),
		Note: "guides: five warm-ups, then the median of 100 calls, of one environment. From, to: what each environment would have said so. Ours: the median of all calls, environments resampled."}
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
		return fmt.Sprintf("%s [%s, %s]%s", report.Digits(g.Ms), report.Digits(g.MsCI[0]), report.Digits(g.MsCI[1]), sign[g.Told])
	default:
		return fmt.Sprintf("%.2f [%.2f, %.2f]%s", g.Ratio, g.CI[0], g.CI[1], sign[g.Told])
	}
}

// stepTables returns the ladder and the other steps, where there are any.
func stepTables(r *report.Report) []table.Table {
	return filled(stepsTable(r, true), stepsTable(r, false))
}

// stepsTable shows the rungs of the ladder in ms, since they add up, or the other steps as ratios.
func stepsTable(r *report.Report, rungs bool) table.Table {
	t := table.Table{ID: "steps", Title: banner(r) + "One thing changed, all else the same: ratio [95 % CI]",
		Note: "Below 1: faster so. *: told apart, after correction for all cells here and in the ladder."}
	if rungs {
		t.ID, t.Title = "ladder", banner(r)+"What each step adds within a language, ms [95 % CI]"
		t.Note = "The steps of a language add up. A function that makes calls makes its first, with TLS, in INIT already. " +
			"*: told apart, after correction for all such cells."
	}
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

// indexTable shows the performance index by each clock.
func indexTable(r *report.Report) table.Table {
	g := table.Table{ID: "index", Title: banner(r) + "Performance Index (slowest = 1) [95 % CI]", Heads: table.Heads(1, "arm", "INIT", "cold total", "wait", "warm", "load")}
	clocks := []report.Clock{report.ClockInit, report.ClockTotal, report.ClockWait, report.ClockWarm, report.ClockLoad}
	functions := 1
	for _, i := range r.Index {
		name := i.Arm
		if i.Function != "" {
			name = i.Function + " in " + i.Arm
		}
		k := slices.IndexFunc(g.Rows, func(row table.Row) bool { return row.Cells[0] == name })
		if k < 0 {
			k = len(g.Rows)
			g.Add(append([]string{name}, slices.Repeat([]string{none}, len(clocks))...)...)
		}
		if c := slices.Index(clocks, i.Clock); c >= 0 {
			g.Rows[k].Cells[1+c] = fmt.Sprintf("%.2f [%.2f, %.2f]", i.Index, i.CI[0], i.CI[1])
		}
		functions = max(functions, i.Functions)
	}
	if functions > 1 {
		g.Note = fmt.Sprintf("The first rows: the geometric mean over up to %d functions.", functions)
	}
	return g.Filled()
}

// costsTable shows what arms cost, cheapest first.
func costsTable(r *report.Report) table.Table {
	if r.Cost == nil {
		return table.Table{}
	}
	c := r.Cost
	g := table.Table{
		ID: "costs", Title: banner(r) + "USD per million invocations [95 % CI]",
		Heads: table.Heads(1, "arm", "all cold", "all warm", percentShare(c.ColdShare)+" cold", "busy >"),
		Note: fmt.Sprintf("busy >: provisioned concurrency costs less where one environment is busy for more than that share of the time (-: never, or its price is not known). "+
			"No interval below 10 environments. Cost: %s.", c.Formula),
	}
	for i := range c.Arms {
		a := &c.Arms[i]
		busy := none
		if a.ProvisionedBusy != nil {
			busy = fmt.Sprintf("%.0f %%", 100**a.ProvisionedBusy)
		}
		if ci := a.ProvisionedCI; ci != nil {
			busy += fmt.Sprintf(" [%.0f, %.0f]", 100*ci[0], 100*ci[1])
		}
		g.Add(a.Arm, usdInterval(a.Cold, a.ColdCI), usdInterval(a.Warm, a.WarmCI), usdInterval(a.USD, a.USDCI), busy)
	}
	return g
}

// baselineTable shows published figures. Title and rows say that they are published.
func baselineTable(r *report.Report) table.Table {
	g := table.Table{ID: "baselines", Title: "Published figures of AWS, not measured here, ms", Heads: table.Heads(3, "arm", "of", "published as", "n", "mean", "p20", "p50", "p80", "p95", "USD/M")}
	settings := []string{}
	for _, b := range r.Baselines {
		id := b.Arm
		if b.MemorySizeMB > 0 {
			id += fmt.Sprintf("@%d", b.MemorySizeMB)
		}
		if b.Architecture != "" {
			id += " (" + string(b.Architecture) + ")"
		}
		usd := none
		if b.USD != nil {
			usd = fmt.Sprintf("%.3f", *b.USD*1e6)
		}
		g.Add(id, string(b.Clock), b.Set, count(b.Count), ms(b.Average), ms(b.P20), ms(b.P50), ms(b.P80), ms(b.P95), usd)
		if b.Setting != "" {
			settings = list.Add(settings, b.Set+": "+b.Setting)
		}
	}
	g.Note = strings.Join(settings, ". ")
	return g.Filled()
}

// percentShare formats a share, as "1 %".
func percentShare(x float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.4g", 100*x), ".") + " %"
}

// phasesText explains phases.
const phasesText = "Medians of each phase, named after the moment that ends it, by the bootstrap's own clock; medians do not add up exactly. outside: what of Init " +
	"Duration the bootstrap does not see, which is the kernel's exec, the pages it waits for, and the way of GET /next. An event begins with its first byte."

// phaseTables returns a table for each stage that bootstraps timed.
func phaseTables(r *report.Report) (out []table.Table) {
	for _, stage := range report.Stages() {
		names := phaseNames(r, stage)
		if len(names) == 0 {
			continue
		}
		t := table.Table{ID: fmt.Sprintf("phases-%d", len(out)), Title: fmt.Sprintf("%sphases of %s, ms", banner(r), stageName(stage)),
			Heads: table.Heads(1, slices.Concat([]string{"arm", "n"}, names, []string{"sum"})...)}
		for _, a := range r.Arms {
			sum, n := 0.0, 0
			row := []string{a.Arm, ""}
			for _, name := range names {
				cell := none
				for _, p := range a.Phases {
					if p.Stage == stage && p.Name == name {
						n, sum, cell = max(n, p.Count), sum+p.P50, fmt.Sprintf("%.3f", p.P50)
					}
				}
				row = append(row, cell)
			}
			if row[1] = count(n); n > 0 {
				t.Add(append(row, fmt.Sprintf("%.3f", sum))...)
			}
		}
		out = append(out, t)
	}
	if len(out) > 0 {
		out[len(out)-1].Note = phasesText
	}
	return out
}

func stageName(s report.Stage) string {
	if s == report.StageInit {
		return string(s)
	}
	return "the " + string(s)
}

// phaseNames returns the phases of a stage over all arms: Outside first, then in the order of the arm with the most
// phases.
func phaseNames(r *report.Report, stage report.Stage) (out []string) {
	for _, a := range r.Arms {
		var own []string
		for _, p := range a.Phases {
			if p.Stage == stage {
				own = append(own, p.Name)
			}
		}
		if len(own) > len(out) {
			own, out = out, own
		}
		out = list.Add(out, own...)
	}
	return out
}
