package show

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/page"
	"github.com/twinstart/twinstart/bench/show/table"
)

// textWidth is where prose wraps. Tables are as wide as they need to be: 129 columns with the longest arm of the factorial.
const textWidth = 120

// leastWidth is where prose wraps on the narrowest of terminals.
const leastWidth = 40

func text(w io.Writer, r *report.Report, o Options) error {
	if o.Brief {
		return brief(w, r, o)
	}
	paint := painter(o.Colour)
	return document(w, r, o, form{
		title:   func(s string) string { return paint.Paint(table.Strong, s) + "\n" },
		head:    func(s string) string { return "\n" + paint.Paint(table.Strong, s) + "\n" },
		prose:   func(s string) string { return table.Wrap(textWidth, "", s) },
		item:    func(s string) string { return table.Wrap(textWidth, "  - ", s) },
		answers: func() string { return answers(r).Text(o.width(), paint) },
		table:   func(t table.Table) string { return t.Text(textWidth, paint) },
	})
}

// markdown draws the report for a pull request: GitHub's tables.
func markdown(w io.Writer, r *report.Report, o Options) error {
	return document(w, r, o, form{
		title: func(s string) string { return "## " + table.Escape(s) + "\n\n" },
		head:  func(s string) string { return "\n### " + table.Escape(s) + "\n\n" },
		prose: func(s string) string { return "\n" + table.Escape(s) + "\n" },
		item:  func(s string) string { return "- " + table.Escape(s) + "\n" },
		answers: func() (list string) {
			for _, a := range r.Answers {
				list += fmt.Sprintf("- **%s** %s\n", table.Escape(a.Question), table.Escape(said(a)))
			}
			return list
		},
		table: table.Table.Markdown,
	})
}

// form is how a document for people is written.
type form struct {
	title, head, prose, item func(string) string
	answers                  func() string
	table                    func(table.Table) string
}

// document is the report in full: the answers, the figures, and what is to be said of them.
func document(w io.Writer, r *report.Report, o Options, f form) error {
	out := new(strings.Builder)
	out.WriteString(f.title(title(r)) + f.answers())
	for _, run := range runs(r) {
		out.WriteString(f.prose(run))
	}
	var all []page.Part
	if len(r.Arms) > 0 {
		for _, t := range mainTables(r) {
			out.WriteString(f.table(notMeasured(t, r)))
		}
		out.WriteString(f.prose(notes(r)))
		all = say(all, "Verdict", []string{r.Verdict.Summary})
	}
	write := func(all []page.Part) {
		for _, s := range all {
			out.WriteString(f.head(s.Title))
			for _, line := range s.Lines {
				out.WriteString(f.item(line))
			}
		}
	}
	write(slices.Concat(all, sections(r), findings(r)))
	for _, t := range furtherTables(r, o) {
		out.WriteString(f.table(t))
	}
	write(say(nil, "Warnings", r.Warnings))
	_, err := io.WriteString(w, out.String())
	return err
}

// painter is nil without colours.
func painter(colour bool) table.Painter {
	if !colour {
		return nil
	}
	styles := map[table.Style]*color.Color{table.Strong: color.New(color.Bold), table.Faint: color.New(color.Faint), table.Best: color.New(color.FgGreen)}
	return func(st table.Style, s string) string {
		c := styles[st]
		if c == nil {
			return s
		}
		c.EnableColor()
		return c.Sprint(s)
	}
}

// A terminal shows as many arms as fill a screen with the answers, and what stands around both.
const (
	screen               = 30
	around               = 7
	leastRows, briefRows = 3, 10
)

// briefColumns are what is left of two tables, most telling first: a narrow terminal drops the last ones.
var briefColumns = []column{
	armColumn,
	{"INIT p50, ms", func(a *report.Arm) string { return interval(a.P50, a.P50CI) }},
	{"predicted on AWS", predicted},
	{"warm p50", func(a *report.Arm) string { return ms(a.Warm.P50) }},
	{"package KiB", func(a *report.Arm) string { return kib(a.PackageSizeBytes) }},
}

// brief is what a terminal shows at the end of a run: the answers, the best arms, and nothing else.
func brief(w io.Writer, r *report.Report, o Options) error {
	paint, width := painter(o.Colour), o.width()
	out := new(strings.Builder)
	out.WriteString(table.Wrap(width, "", title(r)) + answers(r).Text(width, paint))
	arms := ranked(r)
	rows := max(leastRows, min(briefRows, screen-around+1-strings.Count(out.String(), "\n")))
	shown := arms[:min(len(arms), rows)]
	if len(shown) > 0 {
		part := *r
		part.Arms = shown
		out.WriteString("\n" + armTable("", "", &part, briefColumns).Fitting(width).Text(width, paint))
	}
	if slices.Contains(r.Sources, record.Lab) {
		out.WriteString(table.Wrap(width, "", "Lab times are not AWS times: compare rows, not columns."))
	}
	var rest []string
	if more := len(arms) - len(shown); more > 0 {
		rest = append(rest, report.Plural(more, "arm")+" more")
	}
	if n := len(r.NotMeasured); n > 0 {
		rest = append(rest, fmt.Sprintf("not measured: %s", report.Plural(n, "arm")))
	}
	if n := len(r.Warnings); n > 0 {
		rest = append(rest, report.Plural(n, "warning"))
	}
	if len(rest) > 0 {
		out.WriteString(table.Wrap(width, "", strings.Join(rest, "; ")+": with --full, and in the report"))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// answers are the answers with what they are about.
func answers(r *report.Report) table.Table {
	t := table.Table{Heads: table.Heads(2, "", "")}
	for _, a := range r.Answers {
		t.Add("  "+a.Question, said(a))
	}
	return t
}

// said is an answer with how sure it is, where neither its interval nor its words say so.
func said(a report.Answer) string {
	if a.Sure == "" || a.CI != nil || a.Predicted {
		return a.Answer
	}
	return a.Answer + " (" + a.Sure + ")"
}

// ranked are the arms by what the reader can use: those of the lab by what is predicted on AWS, if that is known.
func ranked(r *report.Report) []*report.Arm {
	arms := slices.Clone(r.Arms)
	if slices.ContainsFunc(arms, func(a *report.Arm) bool { return a.Source != record.Lab }) {
		return arms
	}
	forecast := func(a *report.Arm) float64 {
		if a.PredictedAWS == nil {
			return math.Inf(1)
		}
		return a.PredictedAWS.Init
	}
	slices.SortStableFunc(arms, func(a, b *report.Arm) int { return cmp.Compare(forecast(a), forecast(b)) })
	return arms
}
