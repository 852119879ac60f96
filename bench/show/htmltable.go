package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
)

// spreadTables returns a table of distributions for each clock, with the named quantiles.
func spreadTables(r *report.Report, clocks []pictureClock, id, title, names string) (out []table.Table) {
	for _, c := range clocks {
		of := func(a *report.Arm) report.Distribution { return distributionOf(a, c.Name) }
		columns := slices.Concat([]column{
			armColumn,
			{"n", func(a *report.Arm) string { return count(of(a).Count) }},
			{"mean", func(a *report.Arm) string { return ms(of(a).Average) }},
			{"sd", func(a *report.Arm) string { return ms(of(a).StdDev) }},
			{"p10", func(a *report.Arm) string { return ms(tenth(a, c.Name)) }},
		}, quantileColumns(func(a *report.Arm) *report.Spread { return new(of(a).Spread) }, names))
		t := armTable(id+"-"+c.ID, banner(r)+fmt.Sprintf("%s of %s (%s), ms", title, c.Name, c.Means), r, columns)
		t.Clock = c.ID
		out = append(out, t)
	}
	return out
}

func coldWarmTable(r *report.Report, p *pictures) table.Table {
	first := map[*report.Arm]*float64{}
	for _, a := range p.Arms {
		first[a.Arm] = a.First
	}
	return armTable("cold-warm", banner(r)+"cold against warm, medians in ms", r, []column{
		armColumn,
		{"INIT p50", func(a *report.Arm) string { return ms(a.P50) }},
		{"first Duration p50", func(a *report.Arm) string { return ms(first[a]) }},
		{"cold total p50", func(a *report.Arm) string { return ms(a.ColdTotal.P50) }},
		{"before INIT p50", func(a *report.Arm) string { return ms(a.ResidualMedian) }},
		{"caller's wait p50", func(a *report.Arm) string { return ms(a.CallerWait.P50) }},
		{"warm Duration p50", func(a *report.Arm) string { return ms(a.Warm.P50) }},
		{"warm samples/environments", replicates},
	})
}

// sizeTable shows the package's size, the lab's counts, the predictions for AWS, and what others measured there.
func sizeTable(r *report.Report) table.Table {
	t := armTable("sizes", banner(r)+"Package size, KiB read, INIT in ms (predicted: on AWS, not measured)", r, []column{
		armColumn,
		{"package\nKiB", func(a *report.Arm) string { return kib(a.PackageSizeBytes) }},
		{"read\nKiB", func(a *report.Arm) string { return opt("%.0f", a.InitReadKiB) }},
		{"of the\nbase", func(a *report.Arm) string { return opt("%.0f", a.InitBaseReadKiB) }},
		{"by first\nresponse", func(a *report.Arm) string { return opt("%.0f", a.FirstResponseReadKiB) }},
		{"CPU\nms", func(a *report.Arm) string { return ms(a.InitWarmCPUMs) }},
		{"page\nfaults", func(a *report.Arm) string { return opt("%.0f", a.InitPageFaults) }},
		{"major", func(a *report.Arm) string { return opt("%.0f", a.InitMajorPageFaults) }},
		{"INIT\np50", func(a *report.Arm) string { return ms(a.P50) }},
		{"predicted [95 %]", predicted},
		{"published", func(a *report.Arm) string {
			if a.PredictedAWS == nil || a.PredictedAWS.Published == nil {
				return none
			}
			text, p := "%.1f %s", a.PredictedAWS.Published
			if p.Architecture != a.Architecture {
				text += " (" + string(p.Architecture) + ")"
			}
			return fmt.Sprintf(text, p.InitMs, p.At)
		}},
	}).Filled()
	t.Note = note("sizes", nil)
	return t
}

// courseTables returns the medians of each fifth of the run.
func courseTables(r *report.Report, clocks []pictureClock) (out []table.Table) {
	for _, c := range clocks {
		columns := []column{armColumn}
		for k := range fifths {
			columns = append(columns, column{fmt.Sprintf("%d/%d", k+1, fifths), func(a *report.Arm) string {
				values := a.Sample(c.Name).InOrder()
				from, to := k*len(values)/fifths, (k+1)*len(values)/fifths
				if from == to {
					return none
				}
				return ms(new(stat.NewSample(slices.Clone(values[from:to])).Quantile(0.5)))
			}})
		}
		t := armTable("course-"+c.ID, banner(r)+string(c.Name)+", median of each fifth of the cold starts, ms", r, columns)
		t.Clock = c.ID
		out = append(out, t)
	}
	return out
}

// verdictTables returns the winners: a table for each source, with a row for each clock and package type.
func verdictTables(r *report.Report) (out []table.Table) {
	for _, source := range r.Sources {
		usually, median, tail := string(report.UsuallyFaster), string(report.LowerMedian), string(report.LowerTail)
		t := table.Table{ID: "verdict-" + string(source), Title: label(r, source) + "winners (-: not tested; see below)",
			Heads: table.Heads(5, "by this clock", "as", usually, median, tail)}
		for _, c := range r.Verdict.Claims {
			column := slices.IndexFunc(t.Heads, func(h table.Head) bool { return h.Text == string(c.At) })
			if c.Source != source || c.Topic == "folklore" || c.Published != "" || column < 0 {
				continue
			}
			k := slices.IndexFunc(t.Rows, func(row table.Row) bool {
				return row.Cells[0] == string(c.Clock) && row.Cells[1] == cmp.Or(c.Among, none)
			})
			if k < 0 {
				k = len(t.Rows)
				t.Add(string(c.Clock), cmp.Or(c.Among, none), none, none, none)
			}
			t.Rows[k].Cells[column] = who(c)
		}
		if len(t.Rows) > 0 {
			out = append(out, t.Filled())
		}
	}
	return out
}

// shownWinners is how many winners a cell names; the last name may say how many more there are.
const shownWinners = 4

// who returns the winners of a claim in a few words. The claim's text is in another part.
func who(c *report.Claim) string {
	switch {
	case !c.Tested:
		return none
	case !c.Told():
		return "not told apart"
	}
	text := strings.Join(list.Few(c.Winners, shownWinners), " = ")
	if c.Among != "" { // a column says it
		text = strings.ReplaceAll(text, "/"+c.Among, "")
	}
	return text
}

// winners returns the winners of the primary claim, if it tells any arms apart.
func winners(r *report.Report) (out []string) {
	for _, c := range r.Verdict.Claims {
		if c.Primary && c.Told() {
			out = append(out, c.Winners...)
		}
	}
	return out
}

// gridTables returns bootstraps by variants of package, a table for each clock.
func gridTables(r *report.Report, p *pictures) (out []table.Table) {
	var bootstraps, variants []string
	for _, a := range p.Arms {
		bootstraps, variants = list.Add(bootstraps, a.Bootstrap), list.Add(variants, a.Variant)
	}
	slices.SortFunc(variants, byPackage)
	for _, c := range p.Clocks {
		t := table.Table{ID: "grid-" + c.ID, Clock: c.ID, Title: banner(r) + "median " + string(c.Name) + ", ms",
			Heads: table.Heads(1, append([]string{"bootstrap"}, variants...)...)}
		for _, b := range bootstraps {
			cells := []string{b}
			for _, v := range variants {
				cell := none
				for i := range p.Arms {
					if a := &p.Arms[i]; a.Bootstrap == b && a.Variant == v && a.Spread[c.ID] != nil {
						cell = ms(a.Spread[c.ID].P50)
					}
				}
				cells = append(cells, cell)
			}
			t.Add(cells...)
		}
		out = append(out, t)
	}
	return out
}

// byPackage compares variants such as "zip@512": by kind of package, in the order of reports, and 512 before 1024.
func byPackage(a, b string) int {
	rank := func(v string) int {
		kind, _, _ := strings.Cut(strings.ReplaceAll(v, "@", " "), " ")
		if i := slices.Index(arm.Packages(), arm.Package(kind)); i >= 0 {
			return i
		}
		return len(arm.Packages())
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
