package show

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/page"
	"github.com/twinstart/twinstart/bench/show/table"
)

//go:embed report.tmpl
var reportText string

var reportForm = sync.OnceValue(func() *page.Form {
	return page.NewForm(reportText, "base", "hero", "spread", "curve", "coldwarm", "phases", "scatter", "course", "load", "grid", "memory", "cost", "main")
})

// asHTML draws the report as one self-contained page.
func asHTML(w io.Writer, r *report.Report, _ Options) error {
	return reportForm().Write(w, newPage(r))
}

// controls are the page's filters and switches.
type controls struct {
	Filters   []filter
	Clocks    []pictureClock
	Arms      int
	Baselines bool
}

// filter selects arms by one of their properties.
type filter struct {
	Key, Legend string
	Values      []string
}

func newPage(r *report.Report) *page.Page {
	data := pictureData(r)
	p := &page.Page{
		Title: title(r), Kicker: "Twinstart cold-start report", Heading: cmp.Or(r.Experiment, "records"), Badges: badges(r), Facts: facts(r),
		Body: controls{filters(&data), data.Clocks, len(r.Arms), len(data.Baselines) > 0}, Data: data,
	}
	for _, a := range r.Answers {
		p.Answers = append(p.Answers, page.Answer{Question: a.Question, Answer: a.Answer, Sure: a.Sure})
	}
	if len(r.Answers) == 0 {
		p.Answers = []page.Answer{{Answer: title(r)}}
	}
	p.Parts, p.Absent = parts(r, &data)
	return p
}

// label returns the prefix of text about one of several sources.
func label(r *report.Report, s record.Source) string {
	if len(r.Sources) > 1 {
		return sourceName(s) + ": "
	}
	return ""
}

func sourceName(s record.Source) string {
	if s == record.Lab {
		return "Lab (not AWS)"
	}
	return "AWS"
}

func badges(r *report.Report) (out []page.Badge) {
	for _, s := range r.Sources {
		text := "Lab figures of one machine, not AWS" + warm(r)
		if s != record.Lab {
			text = strings.Join(append([]string{"Measured on AWS"}, regions(r, s)...), ", ")
		}
		out = append(out, page.Badge{Kind: string(s), Text: text})
	}
	return out
}

// facts returns the size and the time of the measurement, and the number of warnings.
func facts(r *report.Report) (out []page.Fact) {
	cold, warm := 0, 0
	for _, a := range r.Arms {
		cold, warm = cold+a.InitCount, warm+a.Warm.Count
	}
	out = []page.Fact{{Text: report.Plural(len(r.Arms), "arm"), To: "init"}, {Text: report.Plural(cold, "cold start")}, {Text: report.Plural(warm, "warm invocation")}}
	for _, run := range r.Runs[:min(3, len(r.Runs))] {
		out = append(out, page.Fact{Text: run.StartedAt.UTC().Format("2006-01-02 15:04 UTC"), To: "repeat"})
	}
	if n := len(r.NotMeasured); n > 0 {
		out = append(out, page.Fact{Text: report.Plural(n, "arm") + " not measured", To: "warnings"})
	}
	if n := len(r.Warnings); n > 0 {
		out = append(out, page.Fact{Text: report.Plural(n, "warning"), To: "warnings"})
	}
	return out
}

// filters returns the properties in which arms differ.
func filters(p *pictures) (out []filter) {
	add := func(key, legend string, of func(*pictureArm) string, order func(a, b string) int) {
		values := list.Add(nil, list.Map(p.Arms, func(a pictureArm) string { return of(&a) })...)
		if len(values) > 1 {
			slices.SortFunc(values, order)
			out = append(out, filter{key, legend, values})
		}
	}
	add("bootstrap", "Bootstrap", func(a *pictureArm) string { return a.Bootstrap }, strings.Compare)
	add("package", "Package", func(a *pictureArm) string { return cmp.Or(string(a.Package), "unknown") }, byPackage)
	add("memory", "Memory, MB", func(a *pictureArm) string { return strconv.Itoa(a.MemorySizeMB) }, byLength)
	add("source", "Source", func(a *pictureArm) string { return string(a.Source) }, strings.Compare)
	return out
}

// byLength sorts 512 before 1024.
func byLength(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) }

// repeatPart shows how to repeat the runs.
func repeatPart(r *report.Report) page.Part {
	p := page.Part{ID: "repeat", Title: "Repeat it"}
	if len(r.Runs) == 0 {
		p.Text = []string{"No run.json lay beside the records: seed, versions and machine are not known."}
	}
	for _, run := range r.Runs {
		if len(run.Command) > 0 {
			p.Code = append(p.Code, page.Code{What: "Run " + run.RunID, Command: ShellLine(run.Command)})
		}
		if about, err := json.MarshalIndent(run, "", "  "); err == nil {
			p.Code = append(p.Code, page.Code{What: "run.json: seed, machine, versions, digests of what was measured", Command: string(about)})
		}
	}
	p.Code = append(p.Code, page.Code{What: "This page again, from the records", Command: "twinstart report --format html --out report.html RECORDS.jsonl"})
	return p
}

// ShellLine quotes the words of a command for a shell.
func ShellLine(args []string) string {
	return strings.Join(list.Map(args, func(a string) string {
		quoted, err := syntax.Quote(a, syntax.LangBash)
		if err != nil { // no command line has a NUL
			return strconv.Quote(a)
		}
		return quoted
	}), " ")
}

// parts returns the parts of the page in order: four open ones, then parts to open. If the records cannot fill a
// part, its name and the reason are in absent.
func parts(r *report.Report, p *pictures) (out []page.Part, absent []string) {
	add := func(part page.Part) {
		switch {
		case part.Absent != "":
			absent = append(absent, part.Title+" ("+part.Absent+")")
		case part.Plot || len(part.Tables)+len(part.Lines)+len(part.Text)+len(part.Code) > 0:
			out = append(out, part)
		}
	}
	cold := "" // why there are no pictures of cold starts
	if len(p.Clocks) == 0 {
		cold = "no cold start was measured"
	}
	sampled := ""
	if p.Sampled > 0 {
		sampled = fmt.Sprintf("Points are a random choice of at most %d cold starts of an arm; ranges, medians and tables are of all.", p.Sampled)
	}
	add(page.Part{ID: "verdict", Title: "Verdict", Open: true, Tables: verdictTables(r)})
	spread := page.Part{ID: "spread", Title: "Cold starts of each arm", Open: true, Plot: true, Absent: cold, Tables: spreadTables(r, p.Clocks, "spread", "distribution", "p20* p50* p80* p90*"), Text: fields(
		"Thin line: p10 to p90. Bar: p20 to p80. Notch: median, with its 95 % confidence interval as the light box. Points: single cold starts.", sampled, baselineText(p))}
	if len(r.Baselines) > 0 {
		spread.Tables = append(spread.Tables, baselineTable(r))
	}
	add(spread)
	add(loadPart(r))
	add(page.Part{ID: "levers", Title: "Each lever", Open: true, Tables: leverTables(r)})
	add(page.Part{ID: "steps", Title: "One step at a time", Open: true, Tables: stepTables(r)})
	add(page.Part{ID: "init", Title: "Figures", Open: true, Tables: []table.Table{initTable(r)}})

	add(warningsPart(r))
	for _, s := range slices.Concat(sections(r), findings(r)) {
		add(s)
	}
	add(page.Part{ID: "other", Title: "Size, other clocks, memory, cost", Tables: append([]table.Table{otherTable(r)}, furtherTables(r, Options{})...), Text: []string{legend, r.Method}})
	add(page.Part{ID: "curve", Title: "Distribution and tail", Plot: true, Absent: cold, Tables: spreadTables(r, p.Clocks, "curve", "tail", "p40* p50* p60* p90* p95* p99* p99_9*"), Text: []string{
		"The share of cold starts that took at most so long. Above the rule at p95 the axis is logarithmic, so that p99 and p99.9 have room. Farther left is faster; steeper is steadier."}})
	add(page.Part{ID: "cold-warm", Title: "Cold against warm", Plot: true, Absent: cold, Tables: []table.Table{coldWarmTable(r, p)}, Text: []string{
		"What a cold start is made of: INIT, the first Duration, and what only the caller sees before INIT (caller's wait less both, less a warm round trip). The mark is a warm invocation. Medians of each phase; medians do not add up exactly."}})
	add(phasesPart(r))
	add(page.Part{ID: "grid", Title: "Bootstrap by package", Plot: true, Absent: cold, Tables: gridTables(r, p), Text: []string{"Median of each cell, ms. The more a cell stands out the slower, in equal ratios."}})
	add(page.Part{ID: "sizes", Title: "Package size, KiB read, and time", Plot: true, Absent: cold, Tables: []table.Table{sizeTable(r)}, Text: []string{
		"Is it the size of the package that costs, or what is read of it? Whiskers: 95 % confidence intervals of the median."}})
	add(page.Part{ID: "course", Title: "Course of the run", Plot: true, Absent: cold, Tables: courseTables(r, p.Clocks), Text: fields(
		"Each cold start by its round; the line is a running median. A slope or a step is drift: then compare within rounds only.", sampled)})
	add(page.Part{ID: "memory", Title: "Memory used", Plot: true, Text: []string{"The most that any invocation used, MB."}, Tables: []table.Table{armTable("memory", banner(r)+"memory, MB", r, []column{
		armColumn,
		{"configured", func(a *report.Arm) string { return count(a.MemorySizeMB) }},
		{"most used", func(a *report.Arm) string { return opt("%d", a.MaxMemoryUsedMB) }},
	})}})
	add(memoryCostPart(r))
	add(shareCostPart(r))
	add(repeatPart(r))
	return out, absent
}

// warningsPart lists the warnings and the arms that were not measured.
func warningsPart(r *report.Report) page.Part {
	p := page.Part{ID: "warnings", Title: "Warnings, and what was not measured"}
	for _, n := range r.NotMeasured {
		p.Lines = append(p.Lines, "not measured: "+n.Arm+": "+n.Why)
	}
	p.Lines = append(p.Lines, r.Warnings...)
	return p
}

// phasesPart shows the phases that bootstraps timed.
func phasesPart(r *report.Report) page.Part {
	p := page.Part{ID: "phases", Title: "Phases of INIT and of an event", Plot: true, Text: []string{phasesText}, Tables: phaseTables(r)}
	if len(p.Tables) == 0 {
		p.Absent = "twinstart run --phases asks bootstraps that time themselves"
		return p
	}
	p.Tables[len(p.Tables)-1].Note = "" // the part has this text already
	return p
}

func baselineText(p *pictures) string {
	if len(p.Baselines) == 0 {
		return ""
	}
	return "Dashed outlines: figures that others published of AWS (p20 to p80, and median or mean); not ours, not of this machine."
}

// memoryCostPart shows cost over memory, for runs with several memory sizes.
func memoryCostPart(r *report.Report) page.Part {
	p := page.Part{ID: "memory-cost", Title: "Cost against memory", Plot: true, Tables: []table.Table{costsTable(r)}, Text: []string{
		"USD per million invocations" + forTheLab(r) + ". Solid: all cold. Dotted: all warm. More memory buys more CPU; the least cost is where that stops paying."}}
	p.Tables[0].ID = p.ID
	switch {
	case len(list.Add(nil, list.Map(r.Arms, func(a *report.Arm) int { return a.MemorySizeMB })...)) < 2:
		p.Absent = "all arms have one memory size: twinstart run --memory 128,512,1024"
	case !slices.ContainsFunc(r.Arms, func(a *report.Arm) bool { return a.ColdCost != nil }):
		p.Absent = "nothing was billed"
	}
	return p
}

// shareCostPart shows cost over the share of cold starts.
func shareCostPart(r *report.Report) page.Part {
	p := page.Part{ID: "share-cost", Title: "Cost against the share of cold starts", Plot: true, Text: []string{
		"USD per million invocations" + forTheLab(r) + ", by the share of them that are cold starts. Grey: arms that are the cheapest at no share. Where two lines cross, which is cheaper changes."}}
	if r.Cost == nil || len(r.Cost.BreakEven) == 0 {
		p.Absent = "at no share is it told that the cheapest arm changes"
		return p
	}
	p.Tables = []table.Table{breakEvenTable(r)}
	return p
}

func forTheLab(r *report.Report) string {
	if slices.Contains(r.Sources, record.Lab) {
		return " (AWS list prices for the lab's durations: not a bill)"
	}
	return ""
}
