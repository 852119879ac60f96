package show

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
)

// figure is a picture with the table that says the same.
type figure struct {
	ID       string // of the element that the picture is drawn in
	Title    string
	Text     []string // how to read it
	Findings []string // what it shows, in words
	Tables   []table
	Absent   string // why there is no picture
}

// figures are the pictures in the order of the page. One that the records cannot fill says why.
func figures(r *report.Report, p *pictures) []figure {
	sampled := ""
	if p.Sampled > 0 {
		sampled = fmt.Sprintf("Points are a random choice of at most %d cold starts of an arm; ranges, medians and tables are of all.", p.Sampled)
	}
	out := []figure{
		{ID: "spread", Title: "Cold starts of each arm", Tables: spreadTables(r, p.Clocks), Text: lines(
			"Thin line: p10 to p90. Bar: p20 to p80. Notch: median, with its 95 % confidence interval as the light box. Points: single cold starts. Fastest median first.",
			sampled, baselineText(p))},
		{ID: "curve", Title: "Distribution and tail", Tables: tailTables(r, p.Clocks), Text: lines(
			"The share of cold starts that took at most so long. Above the rule at p95 the axis is logarithmic, so that p99 and p99.9 have room. Farther left is faster; steeper is steadier.",
			"A step in the tail of a few samples is a few samples: the table leaves out what they cannot bear.")},
		{ID: "cold-warm", Title: "Cold against warm", Tables: []table{coldWarmTable(r, p)}, Text: lines(
			"What a cold start is made of: INIT, the first Duration, and what only the caller sees before INIT (caller's wait less both, less a warm round trip). The mark is a warm invocation. Medians of each phase; medians do not add up exactly.")},
		phasesFigure(r),
		{ID: "grid", Title: "Bootstrap by package", Tables: gridTables(r, p), Text: lines("Median of each cell, ms. The more a cell stands out the slower, in equal ratios.")},
		{ID: "sizes", Title: "Package size, KiB read, and time", Tables: []table{sizeTable(r)}, Text: lines(
			"Is it the size of the package that costs, or what is read of it? Whiskers: 95 % confidence intervals of the median.", readText(p))},
		predictedFigure(r),
		effectsFigure(r, p),
		{ID: "course", Title: "Course of the run", Tables: courseTables(r, p.Clocks), Text: lines(
			"Each cold start by its round; the line is a running median. A slope or a step is drift: then compare within rounds only.", sampled), Findings: outlierFindings(r)},
		{ID: "memory", Title: "Memory used", Tables: []table{memoryTable(r)}, Text: lines("The most that any invocation used, MB, beside what was configured.")},
		memoryCostFigure(r, p),
		shareCostFigure(r, p),
	}
	if len(r.Baselines) > 0 {
		i := slices.IndexFunc(out, func(f figure) bool { return f.ID == "spread" })
		out[i].Tables = append(out[i].Tables, gridTable("baselines", baselineGrid(r)))
	}
	if len(p.Clocks) == 0 {
		for i := range out {
			if out[i].ID != "memory" {
				out[i].Absent = "No cold start was measured."
			}
		}
	}
	return out
}

// phasesFigure is what bootstraps told of themselves.
func phasesFigure(r *report.Report) figure {
	f := figure{ID: "phases", Title: "Phases of INIT and of an event", Text: lines(phasesText)}
	for _, g := range phaseGrids(r) {
		g.heads = g.heads[:len(g.heads)-1] // the picture has the bars
		for i := range g.rows {
			g.rows[i] = g.rows[i][:len(g.heads)]
		}
		g.note = ""
		f.Tables = append(f.Tables, gridTable(fmt.Sprintf("phases-%d", len(f.Tables)), g))
	}
	if len(f.Tables) == 0 {
		f.Text, f.Absent = nil, "No bootstrap was asked when it came to what: twinstart run --phases asks those that time themselves (rawsyscall)."
	}
	return f
}

func lines(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

func baselineText(p *pictures) string {
	if len(p.Baselines) == 0 {
		return ""
	}
	return "Dashed outlines: figures that others published of AWS (p20 to p80, and median or mean); not ours, not of this machine."
}

func readText(p *pictures) string {
	for i := range p.Arms {
		if p.Arms[i].ReadKiB != nil {
			return ""
		}
	}
	return "KiB read are counted in the lab only."
}

// effectsFigure is the analysis of the factorial.
func effectsFigure(r *report.Report, p *pictures) figure {
	f := figure{ID: "effects", Title: "What each factor does", Text: lines(
		"Ratios of INIT with 95 % confidence intervals, from one model of all arms: left of 1 is faster. Filled: told apart after correction for the number of comparisons. Bootstraps within one kind of package are in the table.")}
	for i := range r.Factors {
		f.Findings = append(f.Findings, prefixed(label(r, r.Factors[i].Source), r.Factors[i].Text)...)
		f.Tables = append(f.Tables, effectsTable(&r.Factors[i]), termsTable(&r.Factors[i]))
	}
	if len(p.Effects) == 0 {
		f.Absent = "The arms do not make a factorial: an effect needs at least two bootstraps and two kinds of package, all measured."
	}
	return f
}

// outlierFindings names the cold starts that lie far from the rest of their arm.
func outlierFindings(r *report.Report) (out []string) {
	if s := outliers(r); len(s.lines) > 0 {
		out = append(append(out, s.head+"."), s.lines...)
	}
	return out
}

func prefixed(prefix string, texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = prefix + t
	}
	return out
}

// memoryCostFigure is for runs of several memory sizes.
func memoryCostFigure(r *report.Report, p *pictures) figure {
	f := figure{ID: "memory-cost", Title: "Cost against memory", Tables: []table{costTable(r)}, Text: lines(
		"USD per million invocations" + forTheLab(r) + ". Solid: all cold. Dotted: all warm. More memory buys more CPU; the least cost is where that stops paying.")}
	var sizes []int
	priced := false
	for i := range p.Arms {
		if m := p.Arms[i].Memory; !slices.Contains(sizes, m) {
			sizes = append(sizes, m)
		}
		priced = priced || p.Arms[i].ColdUSD != nil
	}
	switch {
	case len(sizes) < 2:
		f.Absent = "All arms have one memory size; measure several (cdk synth -c memory=128,512,1024) to see what memory buys."
	case !priced:
		f.Absent = "Nothing was billed: costs need cold starts with a Billed Duration, and a price of their architecture."
	}
	return f
}

// shareCostFigure shows where a faster cold start is worth its warm price.
func shareCostFigure(r *report.Report, p *pictures) figure {
	f := figure{ID: "share-cost", Title: "Cost against the share of cold starts", Text: lines(
		"USD per million invocations" + forTheLab(r) + ", by the share of them that are cold starts. Grey: all other arms. Where two lines cross, which is cheaper changes.")}
	lines := 0
	for i := range p.Arms {
		if p.Arms[i].ColdUSD != nil && p.Arms[i].WarmUSD != nil {
			lines++
		}
	}
	if r.Cost != nil && len(r.Cost.BreakEven) > 0 {
		f.Tables = append(f.Tables, breakEvenTable(r))
	}
	f.Tables = append(f.Tables, costTable(r))
	f.Tables[len(f.Tables)-1].ID = "share-cost-table"
	for _, s := range findings(r) {
		if strings.HasPrefix(s.head, "Cost") {
			f.Findings = s.lines
		}
	}
	if lines == 0 {
		f.Absent = "A line needs cold and warm invocations with prices."
	}
	return f
}

func forTheLab(r *report.Report) string {
	if slices.Contains(r.Sources, record.Lab) {
		return " (AWS list prices for the lab's durations: not a bill)"
	}
	return ""
}
