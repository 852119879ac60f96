package show

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// table is a table of the page. Rows that are about an arm can be filtered.
type table struct {
	ID      string
	Caption string
	Clock   string // shown while this clock is chosen; "": always
	Heads   []head
	Rows    []row
	Note    string // below it
}

type head struct {
	Text string
	Left bool
}

type row struct {
	Arm   int // index of the arm; -1: none
	Best  bool
	Cells []string // the first is the row's header
}

// armTable is a table of arms.
func armTable(id, caption string, r *report.Report, columns []column) table {
	t := table{ID: id, Caption: caption}
	for _, c := range columns {
		t.Heads = append(t.Heads, head{c.head, c.left})
	}
	best := winners(r)
	for i := range r.Arms {
		rw := row{Arm: i, Best: best[r.Arms[i].Arm]}
		for _, c := range columns {
			rw.Cells = append(rw.Cells, c.cell(&r.Arms[i]))
		}
		t.Rows = append(t.Rows, rw)
	}
	return t
}

// spreadTables are the body of the distributions, a table for each clock.
func spreadTables(r *report.Report, clocks []pictureClock) (out []table) {
	for _, c := range clocks {
		clock := report.Clock(c.Name)
		at := func(f func(*report.Distribution) string) func(*report.Arm) string {
			return func(a *report.Arm) string { d := distributionOf(a, clock); return f(&d) }
		}
		t := armTable("spread-"+c.ID, banner(r)+fmt.Sprintf("%s (%s), ms", c.Name, c.Means), r, []column{
			armColumn,
			{"n", false, at(func(d *report.Distribution) string { return count(d.Count) })},
			{"mean", false, at(func(d *report.Distribution) string { return ms(d.Average) })},
			{"sd", false, at(func(d *report.Distribution) string { return ms(d.StdDev) })},
			{"p10", false, func(a *report.Arm) string { return ms(tenth(r, a, clock)) }},
			{"p20", false, at(func(d *report.Distribution) string { return ms(d.P20) })},
			{"p40", false, at(func(d *report.Distribution) string { return ms(d.P40) })},
			{"p50 [95 % CI]", false, at(func(d *report.Distribution) string { return interval(d.P50, d.P50CI) })},
			{"p60", false, at(func(d *report.Distribution) string { return ms(d.P60) })},
			{"p80", false, at(func(d *report.Distribution) string { return ms(d.P80) })},
			{"p90", false, at(func(d *report.Distribution) string { return ms(d.P90) })},
		})
		t.Clock = c.ID
		out = append(out, t)
	}
	return out
}

// tailTables are the tails, a table for each clock.
func tailTables(r *report.Report, clocks []pictureClock) (out []table) {
	for _, c := range clocks {
		clock := report.Clock(c.Name)
		at := func(f func(*report.Distribution) string) func(*report.Arm) string {
			return func(a *report.Arm) string { d := distributionOf(a, clock); return f(&d) }
		}
		t := armTable("tail-"+c.ID, banner(r)+fmt.Sprintf("tail of %s, ms", c.Name), r, []column{
			armColumn,
			{"n", false, at(func(d *report.Distribution) string { return count(d.Count) })},
			{"p50", false, at(func(d *report.Distribution) string { return ms(d.P50) })},
			{"p90 [95 % CI]", false, at(func(d *report.Distribution) string { return interval(d.P90, d.P90CI) })},
			{"p95 [95 % CI]", false, at(func(d *report.Distribution) string { return interval(d.P95, d.P95CI) })},
			{"p99 [95 % CI]", false, at(func(d *report.Distribution) string { return interval(d.P99, d.P99CI) })},
			{"p99.9", false, at(func(d *report.Distribution) string { return ms(d.P999) })},
			{"max", false, at(func(d *report.Distribution) string { return ms(d.Max) })},
		})
		t.Clock = c.ID
		out = append(out, t)
	}
	return out
}

func coldWarmTable(r *report.Report, p *pictures) table {
	columns := []column{
		armColumn,
		{"INIT p50", false, func(a *report.Arm) string { return ms(a.P50) }},
		{"first Duration p50", false, nil},
		{"cold total p50", false, func(a *report.Arm) string { return ms(a.ColdTotal.P50) }},
		{"before INIT p50", false, func(a *report.Arm) string { return ms(a.ResidualMedian) }},
		{"caller's wait p50", false, func(a *report.Arm) string { return ms(a.CallerWait.P50) }},
		{"warm Duration p50", false, func(a *report.Arm) string { return ms(a.Warm.P50) }},
		{"warm samples", false, func(a *report.Arm) string { return count(a.Warm.Count) }},
		{"environments", false, func(a *report.Arm) string { return count(a.Environments) }},
	}
	first := map[string]*float64{}
	for _, a := range p.Arms {
		first[a.Arm] = a.First
	}
	columns[2].cell = func(a *report.Arm) string { return ms(first[a.Arm]) }
	return armTable("cold-warm", banner(r)+"cold against warm, medians in ms", r, columns)
}

func memoryTable(r *report.Report) table {
	return armTable("memory", banner(r)+"memory, MB", r, []column{
		armColumn,
		{"configured", false, func(a *report.Arm) string { return count(a.MemorySizeMB) }},
		{"most used", false, func(a *report.Arm) string { return integer(a.MaxMemoryUsedMB) }},
	})
}

func sizeTable(r *report.Report) table {
	return armTable("sizes", banner(r)+"package size, KiB read, and INIT", r, []column{
		armColumn,
		{"package KiB", false, func(a *report.Arm) string { return kib(a.PackageSizeBytes) }},
		{"KiB read before /next", false, func(a *report.Arm) string { return whole(a.InitReadKiB) }},
		{"512 KiB chunks", false, func(a *report.Arm) string { return whole(a.InitReadChunks) }},
		{"KiB of the base", false, func(a *report.Arm) string { return whole(a.InitBaseReadKiB) }},
		{"INIT predicted on AWS [95 % interval], ms (not measured)", false, predicted},
		{"KiB read by first response", false, func(a *report.Arm) string { return whole(a.FirstResponseReadKiB) }},
		{"INIT p50 [95 % CI], ms", false, func(a *report.Arm) string { return interval(a.P50, a.P50CI) }},
	})
}

// courseTables are the medians of each fifth of the run.
func courseTables(r *report.Report, clocks []pictureClock) (out []table) {
	for _, c := range clocks {
		clock := report.Clock(c.Name)
		columns := []column{armColumn}
		for k := range fifths {
			columns = append(columns, column{fmt.Sprintf("%d/%d", k+1, fifths), false, func(a *report.Arm) string {
				values := r.Values(a.Arm, clock)
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

// gridTables are bootstraps by variants of package, a table for each clock.
func gridTables(r *report.Report, p *pictures) (out []table) {
	var bootstraps, variants []string
	for _, a := range p.Arms {
		if !slices.Contains(bootstraps, a.Bootstrap) {
			bootstraps = append(bootstraps, a.Bootstrap)
		}
		if !slices.Contains(variants, a.Variant) {
			variants = append(variants, a.Variant)
		}
	}
	slices.SortFunc(variants, byPackage)
	for _, c := range p.Clocks {
		t := table{ID: "grid-" + c.ID, Clock: c.ID, Caption: banner(r) + fmt.Sprintf("median %s of bootstrap and package, ms", c.Name), Heads: []head{{"bootstrap", true}}}
		for _, v := range variants {
			t.Heads = append(t.Heads, head{Text: v})
		}
		for _, b := range bootstraps {
			rw := row{Arm: -1, Cells: []string{b}}
			for _, v := range variants {
				cell := none
				kind, _, _ := strings.Cut(strings.ReplaceAll(v, "@", " "), " ")
				if p.NotMeasured[b+"/"+v]+p.NotMeasured[b+"/"+kind] != "" {
					cell = "not measured"
				}
				for i := range p.Arms {
					if a := &p.Arms[i]; a.Bootstrap == b && a.Variant == v && a.Spread[c.ID] != nil {
						cell = ms(a.Spread[c.ID].P50)
					}
				}
				rw.Cells = append(rw.Cells, cell)
			}
			t.Rows = append(t.Rows, rw)
		}
		out = append(out, t)
	}
	return out
}

// byPackage sorts kinds of package, or variants of them such as "zip@512", in the order of reports.
func byPackage(a, b string) int {
	rank := func(v string) int {
		kind, _, _ := strings.Cut(strings.ReplaceAll(v, "@", " "), " ")
		if i := slices.Index(arm.Packages(), arm.Package(kind)); i >= 0 {
			return i
		}
		return len(arm.Packages())
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a), len(b)), strings.Compare(a, b)) // by length: @512 before @1024
}

func costTable(r *report.Report) table {
	columns := []column{
		armColumn,
		{"memory, MB", false, func(a *report.Arm) string { return count(a.MemorySizeMB) }},
		{"cold total p50, ms", false, func(a *report.Arm) string { return ms(a.ColdTotal.P50) }},
		{"USD, all cold", false, func(a *report.Arm) string { return usd(a.ColdCost) }},
		{"USD, all warm", false, func(a *report.Arm) string { return usd(a.WarmCost) }},
	}
	if r.Cost != nil {
		costs := map[string]report.ArmCost{}
		for _, c := range r.Cost.Arms {
			costs[c.Arm] = c
		}
		columns = append(columns, column{fmt.Sprintf("USD, %g %% cold [95 %% CI]", 100*r.Cost.ColdShare), false, func(a *report.Arm) string {
			if c, ok := costs[a.Arm]; ok {
				return usdInterval(c.USD, c.USDCI)
			}
			return none
		}})
	}
	return armTable("cost", "USD per million invocations"+forTheLab(r), r, columns)
}

func breakEvenTable(r *report.Report) table {
	t := table{ID: "break-even", Caption: "shares of cold starts at which the cheaper arm changes", Heads: []head{{"cheaper below", true}, {"cheaper above", true}, {"cold starts [95 % CI]", false}}}
	for _, b := range r.Cost.BreakEven {
		t.Rows = append(t.Rows, row{Arm: -1, Cells: []string{b.Arm, b.Than, breakEven(&b)}})
	}
	return t
}

func effectsTable(f *report.Factors) table {
	t := table{ID: "effects-" + string(f.Source), Caption: fmt.Sprintf("effects on INIT (%s), ratios of geometric means", f.Source),
		Heads: []head{{"effect", true}, {"factor", true}, {"ratio [95 % CI]", false}, {"p", false}}}
	for i := range f.Effects {
		e := &f.Effects[i]
		t.Rows = append(t.Rows, row{Arm: -1, Best: e.Told, Cells: []string{effectText(e), e.Factor, fmt.Sprintf("%.3f [%.3f, %.3f]", e.Ratio, e.CI[0], e.CI[1]), pValue(e.P)}})
	}
	return t
}

func termsTable(f *report.Factors) table {
	t := table{ID: "terms-" + string(f.Source), Caption: fmt.Sprintf("analysis of variance (%s): %s, R2 %.3f", f.Source, f.Model, f.R2),
		Heads: []head{{"term", true}, {"degrees of freedom", false}, {"F", false}, {"share of variance", false}}}
	for _, m := range f.Terms {
		t.Rows = append(t.Rows, row{Arm: -1, Cells: []string{m.Term, strconv.Itoa(m.DF), fmt.Sprintf("%.1f", m.F), fmt.Sprintf("%.1f %%", 100*m.Share)}})
	}
	return t
}

// gridTable is a table of the text form.
func gridTable(id string, g grid) table {
	t := table{ID: id, Caption: g.title, Note: g.note}
	for i, h := range g.heads {
		t.Heads = append(t.Heads, head{h, i < g.left})
	}
	for _, cells := range g.rows {
		t.Rows = append(t.Rows, row{Arm: -1, Cells: cells})
	}
	return t
}

func pValue(p float64) string {
	if p < 0.001 {
		return "< 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}
