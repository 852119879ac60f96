package show

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
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
	return page.NewForm(reportText, "base", "hero", "spread", "curve", "coldwarm", "phases", "scatter", "course", "load",
		"grid", "memory", "cost", "main")
})

// newPage returns the report as one self-contained page.
func newPage(r *report.Report) *page.Page {
	data := pictureData(r)
	p := &page.Page{
		Title: title(r), Kicker: "Twinstart cold-start report", Heading: cmp.Or(r.Experiment, "records"),
		Badges: badges(r), Facts: facts(r), Body: data, Data: data,
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

// label returns the prefix of a text about one source. It is empty if there is only one source.
func label(r *report.Report, s record.Source) string {
	switch {
	case len(r.Sources) < 2:
		return ""
	case s == record.Lab:
		return "Lab (not AWS): "
	}
	return "AWS: "
}

// badges says where each source was measured.
func badges(r *report.Report) []page.Badge {
	return list.Map(r.Sources, func(s record.Source) page.Badge {
		return page.Badge{Kind: string(s), Text: upper(place(r, s))}
	})
}

// facts returns the size and the time of the measurement, and the number of warnings.
func facts(r *report.Report) (out []page.Fact) {
	cold, warm := 0, 0
	for _, a := range r.Arms {
		cold, warm = cold+a.InitCount, warm+a.Warm.Count
	}
	out = []page.Fact{{Text: report.Plural(len(r.Arms), "arm"), To: "init"}, {Text: report.Plural(cold, "cold start")},
		{Text: report.Plural(warm, "warm invocation")}}
	for _, run := range r.Runs[:min(3, len(r.Runs))] {
		out = append(out, page.Fact{Text: startOf(run), To: "repeat"})
	}
	for _, text := range fields(some(len(r.NotMeasured), "arm", " not measured"), some(len(r.Warnings), "warning", "")) {
		out = append(out, page.Fact{Text: text, To: "warnings"})
	}
	return out
}

// parts returns the parts of the page in order: first those that are open, then those that are closed. If the records
// cannot fill a part, absent has its name and the reason. report.tmpl says how to read each picture.
func parts(r *report.Report, p *pictures) (out []page.Part, absent []string) {
	picture := func(id, title string, tables ...table.Table) page.Part {
		part := page.Part{ID: id, Title: title, Plot: true, Tables: tables}
		if len(p.Clocks) == 0 {
			part.Absent = "no cold start was measured"
		}
		return part
	}
	spread := picture("spread", "Cold starts of each arm",
		spreadTables(r, p.Clocks, "spread", "distribution", "p20* p50* p80* p90*")...)
	spread.Open = true
	course := picture("course", "Course of the run", courseTables(r, p.Clocks)...)
	if p.Sampled > 0 {
		spread.Text = []string{fmt.Sprintf(
			"Points are a random choice of at most %d cold starts of an arm; bars, medians and tables use all.", p.Sampled)}
		course.Text = spread.Text
	}
	if len(r.Baselines) > 0 {
		spread.Text = append(slices.Clone(spread.Text), baselineText)
		spread.Tables = append(spread.Tables, baselineTable(r))
	}
	memory := armTable("memory", banner(r)+"memory, MB", r, []column{
		armColumn,
		{"configured", func(a *report.Arm) string { return count(a.MemorySizeMB) }},
		{"most used", func(a *report.Arm) string { return opt("%d", a.MaxMemoryUsedMB) }},
	})
	for _, part := range slices.Concat([]page.Part{
		{ID: "verdict", Title: "Verdict", Open: true, Tables: verdictTables(r)},
		spread,
		loadPart(r),
		{ID: "levers", Title: "What each lever does", Open: true, Tables: leverTables(r)},
		{ID: "steps", Title: "One step at a time", Open: true, Tables: stepTables(r)},
		{ID: "init", Title: "Figures", Open: true, Tables: []table.Table{initTable(r)}},
		warningsPart(r),
	}, sections(r), findings(r), []page.Part{
		{ID: "other", Title: "Size, other clocks, memory, cost", Text: []string{note("legend", nil), r.Method},
			Tables: append([]table.Table{otherTable(r)}, furtherTables(r, Options{})...)},
		picture("curve", "Distribution and tail",
			spreadTables(r, p.Clocks, "curve", "tail", "p40* p50* p60* p90* p95* p99* p99_9*")...),
		picture("cold-warm", "Cold against warm", coldWarmTable(r, p)),
		phasesPart(r),
		picture("grid", "Bootstrap by package", gridTables(r, p)...),
		picture("sizes", "Package size, KiB read, and time", sizeTable(r)),
		course,
		{ID: "memory", Title: "Memory used", Plot: true, Tables: []table.Table{memory}},
		memoryCostPart(r),
		shareCostPart(r),
		repeatPart(r),
	}) {
		switch {
		case part.Absent != "":
			absent = append(absent, part.Title+" ("+part.Absent+")")
		case part.Plot || len(part.Tables)+len(part.Lines)+len(part.Code) > 0:
			out = append(out, part)
		}
	}
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

// baselineText explains what the pictures show of published figures.
const baselineText = "Dashed outlines: AWS figures that others published (p20 to p80, and median or mean). " +
	"They were not measured in this run or on this machine."

// repeatPart shows how to repeat the runs.
func repeatPart(r *report.Report) page.Part {
	p := page.Part{ID: "repeat", Title: "Repeat this run"}
	if len(r.Runs) == 0 {
		p.Text = []string{"There was no run.json beside the records, so seed, versions and machine are not known."}
	}
	for _, run := range r.Runs {
		if len(run.Command) > 0 {
			p.Code = append(p.Code, page.Code{What: "Run " + run.RunID, Command: ShellLine(run.Command)})
		}
		if about, err := json.MarshalIndent(run, "", "  "); err == nil {
			p.Code = append(p.Code, page.Code{What: "run.json: seed, machine, versions, digests", Command: string(about)})
		}
	}
	p.Code = append(p.Code, page.Code{What: "Make this page again, from the records",
		Command: "twinstart report --format html --out report.html RECORDS.jsonl"})
	return p
}

// ShellLine quotes the words of a command for a shell.
func ShellLine(args []string) string {
	return strings.Join(list.Map(args, func(a string) string {
		quoted, err := syntax.Quote(a, syntax.LangBash)
		if err != nil { // the text has a NUL, which no command line has
			return strconv.Quote(a)
		}
		return quoted
	}), " ")
}

// runs returns a line for each run: its seed, time and machine.
func runs(r *report.Report) (out []string) {
	for _, run := range r.Runs {
		about := []string{"run " + run.RunID, fmt.Sprintf("seed %d", run.Seed), startOf(run)}
		if m := run.Machine; m != nil {
			about = append(about, strings.TrimSpace(m.OS+" "+m.Architecture+" "+m.Kernel), m.CPU, report.Plural(m.CPUs, "CPU"))
		}
		out = append(out, strings.Join(fields(about...), ", "))
	}
	return out
}
