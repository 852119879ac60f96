package show

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/page"
	"github.com/twinstart/twinstart/bench/show/table"
)

// furtherTables returns the tables after the verdict.
func furtherTables(r *report.Report, o Options) (out []table.Table) {
	if o.Phases {
		if out = phaseTables(r); len(out) > 0 {
			out[len(out)-1].Note = note("phases", nil)
		}
	}
	return append(out, filled(indexTable(r), costsTable(r), baselineTable(r), outlierTable(r))...)
}

// indexTable shows the performance index by each clock.
func indexTable(r *report.Report) table.Table {
	g := table.Table{ID: "index", Title: banner(r) + "Performance Index (slowest = 1) [95 % CI]",
		Heads: table.Heads(1, "arm", "INIT", "cold total", "wait", "warm", "load")}
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
		g.Note = fmt.Sprintf("The first rows are geometric means of up to %d functions.", functions)
	}
	return g.Filled()
}

// baselineTable shows published figures. Its title and a column say that they are published.
func baselineTable(r *report.Report) table.Table {
	g := table.Table{ID: "baselines", Title: "Published figures of AWS, not measured here, ms",
		Heads: table.Heads(3, "arm", "of", "published as", "n", "mean", "p20", "p50", "p80", "p95", "USD/M")}
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

// phasesPart shows the phases that bootstraps timed.
func phasesPart(r *report.Report) page.Part {
	p := page.Part{ID: "phases", Title: "Phases of INIT and of an event", Plot: true, Text: []string{note("phases", nil)},
		Tables: phaseTables(r)}
	if len(p.Tables) == 0 {
		p.Absent = "no phases were measured: use twinstart run --phases"
	}
	return p
}

// phaseTables returns a table for each stage that bootstraps timed.
func phaseTables(r *report.Report) (out []table.Table) {
	for _, stage := range report.Stages() {
		names := phaseNames(r, stage)
		if len(names) == 0 {
			continue
		}
		of := string(stage)
		if stage != report.StageInit {
			of = "the " + of
		}
		t := table.Table{ID: fmt.Sprintf("phases-%d", len(out)), Title: banner(r) + "phases of " + of + ", ms",
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
	return out
}

// phaseNames returns the names of a stage's phases in all arms: those of the arm with the most phases come first, in
// its order.
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

// costsTable shows what arms cost, cheapest first.
func costsTable(r *report.Report) table.Table {
	if r.Cost == nil {
		return table.Table{}
	}
	c := r.Cost
	g := table.Table{
		ID: "costs", Title: banner(r) + "USD per million invocations [95 % CI]",
		Heads: table.Heads(1, "arm", "all cold", "all warm", percentShare(c.ColdShare)+" cold", "busy >"),
		Note:  note("costs", c),
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

func breakEvenTable(r *report.Report) table.Table {
	t := table.Table{ID: "break-even", Title: "shares of cold starts at which the cheaper arm changes",
		Heads: table.Heads(2, "cheaper below", "cheaper above", "cold starts [95 % CI]")}
	for _, b := range r.Cost.BreakEven {
		t.Add(b.Arm, b.Than, breakEven(&b))
	}
	return t
}

// breakEven returns, for example, "12 % [9, 16]".
func breakEven(b *report.BreakEven) string {
	return fmt.Sprintf("%s [%.2g, %.2g]", percentShare(b.ColdShare), 100*b.CI[0], 100*b.CI[1])
}

// percentShare formats a share, as "1 %".
func percentShare(x float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.4g", 100*x), ".") + " %"
}

// memoryCostPart shows cost against memory, for runs with several memory sizes.
func memoryCostPart(r *report.Report) page.Part {
	p := page.Part{ID: "memory-cost", Title: "Cost against memory", Plot: true, Tables: []table.Table{costsTable(r)},
		Text: forTheLab(r)}
	p.Tables[0].ID = p.ID
	switch {
	case len(list.Add(nil, list.Map(r.Arms, func(a *report.Arm) int { return a.MemorySizeMB })...)) < 2:
		p.Absent = "all arms have one memory size: use twinstart run --memory 128,512,1024"
	case !slices.ContainsFunc(r.Arms, func(a *report.Arm) bool { return a.ColdCost != nil }):
		p.Absent = "no arm has a cost"
	}
	return p
}

// shareCostPart shows cost against the share of cold starts.
func shareCostPart(r *report.Report) page.Part {
	p := page.Part{ID: "share-cost", Title: "Cost against the share of cold starts", Plot: true, Text: forTheLab(r)}
	if r.Cost == nil || len(r.Cost.BreakEven) == 0 {
		p.Absent = "it is not certain that the cheapest arm changes"
		return p
	}
	p.Tables = []table.Table{breakEvenTable(r)}
	return p
}

// forTheLab says what a cost means if the lab measured the durations.
func forTheLab(r *report.Report) []string {
	if slices.Contains(r.Sources, record.Lab) {
		return []string{"Costs are AWS list prices for the lab's durations, not a bill."}
	}
	return nil
}

func usdInterval(x float64, ci *[2]float64) string {
	if ci == nil {
		return opt("%.3f", &x)
	}
	return fmt.Sprintf("%.3f [%.3f, %.3f]", x, ci[0], ci[1])
}
