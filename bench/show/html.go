package show

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/page"
)

//go:embed report.tmpl
var reportText string

var reportForm = sync.OnceValue(func() *page.Form {
	return page.NewForm(reportText, "base", "hero", "spread", "curve", "coldwarm", "phases", "scatter", "course", "grid", "memory", "cost", "effects", "main")
})

// asHTML draws the report as one page that needs nothing else: no server, no network, no file beside it.
func asHTML(w io.Writer, r *report.Report, _ Options) error {
	return reportForm().Write(w, newPage(r))
}

// controls are what the reader can choose by.
type controls struct {
	Filters   []filter
	Clocks    []pictureClock
	Arms      int
	Baselines bool
}

// filter is a property of arms.
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
		p.Answers = []page.Answer{{Answer: r.Verdict.Summary}}
	}
	p.Parts, p.Absent = parts(r, &data)
	return p
}

// label stands before text about one of several sources.
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

// facts are the size and the time of what was measured, and what to know about it.
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

// filters are the properties in which arms differ.
func filters(p *pictures) (out []filter) {
	add := func(key, legend string, of func(*pictureArm) string, order func(a, b string) int) {
		var values []string
		for i := range p.Arms {
			values = list.Add(values, of(&p.Arms[i]))
		}
		if len(values) < 2 {
			return
		}
		slices.SortFunc(values, order)
		out = append(out, filter{key, legend, values})
	}
	add("bootstrap", "Bootstrap", func(a *pictureArm) string { return a.Bootstrap }, strings.Compare)
	add("package", "Package", func(a *pictureArm) string { return cmp.Or(a.Package, "unknown") }, byPackage)
	add("memory", "Memory, MB", func(a *pictureArm) string { return strconv.Itoa(a.Memory) }, byLength)
	add("source", "Source", func(a *pictureArm) string { return string(a.Source) }, strings.Compare)
	return out
}

// byLength has 512 before 1024.
func byLength(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) }

// repeatPart is what a repeat of the runs needs.
func repeatPart(r *report.Report) page.Part {
	p := page.Part{ID: "repeat", Title: "Repeat it"}
	if len(r.Runs) == 0 {
		p.Text = []string{"No run.json lay beside the records: seed, versions and machine are not known."}
	}
	for _, run := range r.Runs {
		if len(run.Command) > 0 {
			p.Code = append(p.Code, page.Code{What: "Run " + run.RunID, Command: shellLine(run.Command)})
		}
		if about, err := json.MarshalIndent(run, "", "  "); err == nil {
			p.Code = append(p.Code, page.Code{What: "run.json: seed, machine, versions, digests of what was measured", Command: string(about)})
		}
	}
	p.Code = append(p.Code, page.Code{What: "This page again, from the records", Command: "twinstart report --format html --out report.html RECORDS.jsonl"})
	return p
}

// shellLine quotes a command so that it can be pasted.
func shellLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if a == "" || strings.ContainsFunc(a, func(c rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@+%", c)
		}) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted[i] = a
	}
	return strings.Join(quoted, " ")
}
