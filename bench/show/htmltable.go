package show

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
)

// verdictTables returns the winners: a table for each source, with a row for each clock and kind of package.
func verdictTables(r *report.Report) (out []table.Table) {
	for _, source := range r.Sources {
		t := table.Table{ID: "verdict-" + string(source), Title: label(r, source) + "who is told to win (-: not tested, with the reason below)", Heads: table.Heads(5, "by this clock", "as", string(report.UsuallyFaster), string(report.LowerMedian), string(report.LowerTail))}
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
			out = append(out, t.Fitting(math.MaxInt/2))
		}
	}
	return out
}

// shownWinners is how many winners of a claim are named.
const shownWinners = 3

// who returns the winners of a claim in a few words. The claim's text is in another part.
func who(c *report.Claim) string {
	n := len(c.Winners)
	switch {
	case !c.Tested:
		return none
	case !c.Told():
		return "no difference told"
	}
	text := strings.Join(c.Winners[:min(n, shownWinners)], " = ")
	if n > shownWinners {
		text += fmt.Sprintf(" and %d more", n-shownWinners)
	}
	if c.Among != "" { // a column says it
		text = strings.ReplaceAll(text, "/"+c.Among, "")
	}
	return text
}

// spreadTables returns a table of distributions for each clock, with the named quantiles.
func spreadTables(r *report.Report, clocks []pictureClock, id, title, names string) (out []table.Table) {
	for _, c := range clocks {
		of := func(a *report.Arm) *report.Distribution { d := distributionOf(a, report.Clock(c.Name)); return &d }
		columns := []column{
			armColumn,
			{"n", func(a *report.Arm) string { return count(of(a).Count) }},
			{"mean", func(a *report.Arm) string { return ms(of(a).Average) }},
			{"sd", func(a *report.Arm) string { return ms(of(a).StdDev) }},
			{"p10", func(a *report.Arm) string { return ms(tenth(a, report.Clock(c.Name))) }},
		}
		for i, q := range new(report.Spread).Quantiles() {
			if slices.Contains(strings.Fields(names), q.Name) {
				columns = append(columns, column{strings.ReplaceAll(q.Name, "_", ".") + " [95 % CI]", func(a *report.Arm) string { q := of(a).Quantiles()[i]; return interval(*q.Value, *q.CI) }})
			}
		}
		columns = append(columns, column{"max", func(a *report.Arm) string { return ms(of(a).Max) }})
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

func sizeTable(r *report.Report) table.Table {
	return armTable("sizes", banner(r)+"package size, KiB read, and INIT", r, []column{
		armColumn,
		{"package KiB", func(a *report.Arm) string { return kib(a.PackageSizeBytes) }},
		{"KiB read before /next", func(a *report.Arm) string { return opt("%.0f", a.InitReadKiB) }},
		{"512 KiB chunks", func(a *report.Arm) string { return opt("%.0f", a.InitReadChunks) }},
		{"KiB of the base", func(a *report.Arm) string { return opt("%.0f", a.InitBaseReadKiB) }},
		{"INIT predicted on AWS [95 % interval], ms (not measured)", predicted},
		{"KiB read by first response", func(a *report.Arm) string { return opt("%.0f", a.FirstResponseReadKiB) }},
		{"INIT p50 [95 % CI], ms", func(a *report.Arm) string { return interval(a.P50, a.P50CI) }},
	})
}

// courseTables returns the medians of each fifth of the run.
func courseTables(r *report.Report, clocks []pictureClock) (out []table.Table) {
	for _, c := range clocks {
		clock := report.Clock(c.Name)
		columns := []column{armColumn}
		for k := range fifths {
			columns = append(columns, column{fmt.Sprintf("%d/%d", k+1, fifths), func(a *report.Arm) string {
				values := a.Sample(clock).InOrder()
				from, to := k*len(values)/fifths, (k+1)*len(values)/fifths
				if from == to {
					return none
				}
				return ms(new(stat.NewSample(slices.Clone(values[from:to])).Quantile(0.5)))
			}})
		}
		t := armTable("course-"+c.ID, banner(r)+fmt.Sprintf("%s over the run: median of each fifth of its cold starts, ms", c.Name), r, columns)
		t.Clock = c.ID
		out = append(out, t)
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
		t := table.Table{ID: "grid-" + c.ID, Clock: c.ID, Title: banner(r) + fmt.Sprintf("median %s of bootstrap and package, ms", c.Name),
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

// byPackage sorts kinds of package, and variants such as "zip@512", in the order of reports.
func byPackage(a, b string) int {
	rank := func(v string) int {
		kind, _, _ := strings.Cut(strings.ReplaceAll(v, "@", " "), " ")
		if i := slices.Index(arm.Packages(), arm.Package(kind)); i >= 0 {
			return i
		}
		return len(arm.Packages())
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), byLength(a, b))
}

func breakEvenTable(r *report.Report) table.Table {
	t := table.Table{ID: "break-even", Title: "shares of cold starts at which the cheaper arm changes", Heads: table.Heads(2, "cheaper below", "cheaper above", "cold starts [95 % CI]")}
	for _, b := range r.Cost.BreakEven {
		t.Add(b.Arm, b.Than, breakEven(&b))
	}
	return t
}

func effectsTable(f *report.Factors) table.Table {
	t := table.Table{ID: "effects-" + string(f.Source), Title: fmt.Sprintf("effects on %s (%s), ratios of geometric means", f.Clock, f.Source),
		Heads: table.Heads(2, "effect", "factor", "ratio [95 % CI]", "p")}
	for i := range f.Effects {
		e := &f.Effects[i]
		p := strings.TrimPrefix(report.Probability(e.P), "p ")
		t.Rows = append(t.Rows, table.Row{Best: e.Told, Cells: []string{effectText(e), e.Factor,
			fmt.Sprintf("%.3f [%.3f, %.3f]", e.Ratio, e.CI[0], e.CI[1]), strings.TrimPrefix(p, "= ")}})
	}
	return t
}

func termsTable(f *report.Factors) table.Table {
	t := table.Table{ID: "terms-" + string(f.Source), Title: fmt.Sprintf("analysis of variance (%s): %s, R2 %.3f", f.Source, f.Model, f.R2),
		Heads: table.Heads(1, "term", "degrees of freedom", "F", "share of variance")}
	for _, m := range f.Terms {
		t.Add(m.Term, strconv.Itoa(m.DF), fmt.Sprintf("%.1f", m.F), fmt.Sprintf("%.1f %%", 100*m.Share))
	}
	return t
}
