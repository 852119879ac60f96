package show

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/twinstart/twinstart/bench/report"
)

// grid is a table of text: the first columns left, figures right.
type grid struct {
	title string
	note  string
	heads []string
	left  int // columns that hold words
	rows  [][]string
}

// grids are the tables that follow the verdict.
func grids(r *report.Report, o Options) (out []grid) {
	if o.Phases {
		out = phaseGrids(r)
	}
	for _, g := range []grid{indexGrid(r), costGrid(r), predictedGrid(r), baselineGrid(r)} {
		if len(g.rows) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// indexGrid is the performance index by each clock.
func indexGrid(r *report.Report) grid {
	g := grid{title: banner(r) + "Performance Index (slowest = 1) [95 % CI]", left: 1,
		heads: []string{"arm", "INIT", "cold total", "wait", "warm"}}
	clocks := []report.Clock{report.ClockInit, report.ClockTotal, report.ClockWait, report.ClockWarm}
	var names []string
	cells := map[string]map[report.Clock]string{}
	functions := 1
	for _, i := range r.Index {
		if cells[i.Arm] == nil {
			cells[i.Arm] = map[report.Clock]string{}
			names = append(names, i.Arm)
		}
		cells[i.Arm][i.Clock] = fmt.Sprintf("%.2f [%.2f, %.2f]", i.Index, i.CI[0], i.CI[1])
		functions = max(functions, i.Functions)
	}
	if functions > 1 {
		g.note = fmt.Sprintf("Geometric mean over up to %d handlers.", functions)
	}
	for _, name := range names {
		row := []string{name}
		for _, c := range clocks {
			row = append(row, or(cells[name][c], none))
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// costGrid is what arms cost, cheapest first.
func costGrid(r *report.Report) grid {
	if r.Cost == nil {
		return grid{}
	}
	c := r.Cost
	g := grid{title: banner(r) + "USD per million invocations [95 % CI]", left: 1,
		heads: []string{"arm", "all cold", "all warm", percentShare(c.ColdShare) + " cold", "busy >"},
		note: fmt.Sprintf("busy >: provisioned concurrency costs less where one environment is busy for more than that share of the time (-: never, or its price is not known). "+
			"No interval below 10 environments. Cost: %s.", c.Formula)}
	for i := range c.Arms {
		a := &c.Arms[i]
		busy := none
		if a.ProvisionedBusy != nil {
			busy = fmt.Sprintf("%.0f %%", 100**a.ProvisionedBusy)
		}
		if ci := a.ProvisionedCI; ci != nil {
			busy += fmt.Sprintf(" [%.0f, %.0f]", 100*ci[0], 100*ci[1])
		}
		g.rows = append(g.rows, []string{a.Arm, usdInterval(a.Cold, a.ColdCI), usdInterval(a.Warm, a.WarmCI), usdInterval(a.USD, a.USDCI), busy})
	}
	return g
}

// perMillion is USD for a million invocations.
func perMillion(usd *float64) string {
	if usd == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *usd*1e6)
}

// baselineGrid is published figures; they are called so in title and rows.
func baselineGrid(r *report.Report) grid {
	g := grid{title: "Published figures of AWS, not measured here, ms", left: 3, heads: []string{"arm", "of", "published as", "n", "mean", "p20", "p50", "p80", "p95"}}
	costs := slices.ContainsFunc(r.Baselines, func(b report.Baseline) bool { return b.USD != nil })
	if costs {
		g.heads = append(g.heads, "USD/M")
	}
	settings := []string{}
	for _, b := range r.Baselines {
		id := b.Arm
		if b.MemorySizeMB > 0 {
			id += fmt.Sprintf("@%d", b.MemorySizeMB)
		}
		if b.Architecture != "" {
			id += " (" + string(b.Architecture) + ")"
		}
		row := []string{id, string(b.Clock), b.Set, count(b.Count), ms(b.Average), ms(b.P20), ms(b.P50), ms(b.P80), ms(b.P95)}
		if costs {
			row = append(row, perMillion(b.USD))
		}
		g.rows = append(g.rows, row)
		if s := b.Set + ": " + b.Setting; b.Setting != "" && !slices.Contains(settings, s) {
			settings = append(settings, s)
		}
	}
	g.note = strings.Join(settings, ". ")
	return g
}

// percentShare is "1 %".
func percentShare(x float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.4g", 100*x), ".") + " %"
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

func (g grid) text(w io.Writer, paint func(style, string) string) {
	widths := make([]int, len(g.heads))
	for _, row := range append([][]string{g.heads}, g.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(cells []string) string {
		var s strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				s.WriteString("  ")
			}
			if i < g.left {
				s.WriteString(cell + pad)
			} else {
				s.WriteString(pad + cell)
			}
		}
		return strings.TrimRight(s.String(), " ")
	}
	fmt.Fprintf(w, "\n%s\n", paint(strong, g.title))
	fmt.Fprintln(w, paint(faint, line(g.heads)))
	for _, row := range g.rows {
		fmt.Fprintln(w, line(row))
	}
	if g.note != "" {
		wrap(w, "", g.note)
	}
}

func (g grid) markdown(w io.Writer) {
	fmt.Fprintf(w, "\n### %s\n\n", escape(g.title))
	heads, rule := "|", "|"
	for i, h := range g.heads {
		heads += " " + escape(h) + " |"
		if i < g.left {
			rule += " --- |"
		} else {
			rule += " ---: |"
		}
	}
	fmt.Fprintf(w, "%s\n%s\n", heads, rule)
	for _, row := range g.rows {
		fmt.Fprint(w, "|")
		for _, cell := range row {
			fmt.Fprintf(w, " %s |", escape(cell))
		}
		fmt.Fprintln(w)
	}
	if g.note != "" {
		fmt.Fprintf(w, "\n%s\n", escape(g.note))
	}
}
