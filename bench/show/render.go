// Package show draws a report as text for a terminal, as Markdown for a pull request, as JSON and CSV for programs,
// and as a page with pictures.
//
// All forms show the figures of the same report.Report, and label lab figures as such.
package show

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/page"
	"github.com/twinstart/twinstart/bench/show/table"
)

// Options of a rendering.
type Options struct {
	Brief  bool // text only: show the answers and the best arms, for a terminal
	Width  int  // text only: width of the terminal; 0 means 120
	Phases bool // text and Markdown only: show phases; JSON and the page always do, if the records have them
}

func (o Options) width() int { return min(max(cmp.Or(o.Width, textWidth), leastWidth), textWidth) }

var formats = map[string]func(io.Writer, *report.Report, Options) error{
	"text": text, "markdown": markdown, "csv": asCSV,
	"html": func(w io.Writer, r *report.Report, _ Options) error { return reportForm().Write(w, newPage(r)) },
	"json": func(w io.Writer, r *report.Report, _ Options) error { return table.JSON(w, r) },
}

// Write draws the report in a format.
func Write(w io.Writer, format string, r *report.Report, o Options) error {
	f, ok := formats[format]
	if !ok {
		return fmt.Errorf("unknown format %q: use %s", format, strings.Join(slices.Sorted(maps.Keys(formats)), ", "))
	}
	return f(w, r, o)
}

// csvNames are the columns of the CSV form: the names of the JSON form, with nested names joined and a column for each
// end of an interval.
//
//go:embed csv.txt
var csvNames string

// asCSV writes a row for each arm, unrounded. An empty cell means not measured, or too few samples.
func asCSV(w io.Writer, r *report.Report, _ Options) error {
	names := strings.Fields(csvNames)
	t := table.Table{Heads: table.Heads(0, names...)}
	for _, a := range r.Arms {
		if err := t.AddValues(names, struct {
			*report.Arm
			FunctionErrors int `json:"function_errors"` // 0 is written, too
		}{a, a.FunctionErrors}); err != nil {
			return err
		}
	}
	for _, n := range r.NotMeasured {
		if err := t.AddValues(names, map[string]string{"arm": n.Arm, "not_measured": n.Why}); err != nil {
			return err
		}
	}
	return t.CSV(w)
}

// textWidth is where prose wraps. Tables are as wide as they need to be.
const textWidth = 120

// leastWidth is the smallest width at which prose wraps.
const leastWidth = 40

// A terminal shows as many arms as fit on its screen below the answers, with the lines around both.
const (
	screen               = 30
	around               = 7
	leastRows, briefRows = 3, 10
)

// briefColumns are the most important columns, in order: a narrow terminal drops the last ones.
var briefColumns = []column{
	armColumn,
	{"INIT p50, ms", func(a *report.Arm) string { return interval(a.P50, a.P50CI) }},
	{"predicted on AWS", predicted},
	{"warm p50", func(a *report.Arm) string { return ms(a.Warm.P50) }},
	{"package KiB", func(a *report.Arm) string { return kib(a.PackageSizeBytes) }},
}

// brief writes what a terminal shows at the end of a run: the answers and the best arms.
func brief(w io.Writer, r *report.Report, o Options) error {
	width := o.width()
	out := new(strings.Builder)
	out.WriteString(table.Wrap(width, "", title(r)) + answers(r).Text(width))
	arms := ranked(r)
	rows := max(leastRows, min(briefRows, screen-around+1-strings.Count(out.String(), "\n")))
	shown := arms[:min(len(arms), rows)]
	if len(shown) > 0 {
		part := *r
		part.Arms = shown
		t := armTable("", "", &part, briefColumns)
		if load := loadTable(&part, loadColumns[:briefLoadColumns]); len(load.Rows) > 0 {
			t = table.Table{Heads: load.Heads, Rows: load.Rows}
		}
		out.WriteString("\n" + t.Fitting(width).Text(width))
	}
	if slices.Contains(r.Sources, record.Lab) {
		out.WriteString(table.Wrap(width, "", "Lab times are not AWS times: compare arms with each other, not with AWS."))
	}
	rest := fields(some(len(arms)-len(shown), "more arm", ""), some(len(r.NotMeasured), "arm", " not measured"),
		some(len(r.Warnings), "warning", ""))
	if len(rest) > 0 {
		out.WriteString(table.Wrap(width, "", strings.Join(rest, "; ")+": see --full or the report's files"))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// ranked returns the arms in order. Arms of the lab are sorted by what is predicted on AWS, if that is known.
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

func text(w io.Writer, r *report.Report, o Options) error {
	if o.Brief {
		return brief(w, r, o)
	}
	return document(w, r, o, form{
		title:   func(s string) string { return s + "\n" },
		head:    func(s string) string { return "\n" + s + "\n" },
		prose:   func(s string) string { return table.Wrap(textWidth, "", s) },
		item:    func(s string) string { return table.Wrap(textWidth, "  - ", s) },
		answers: func() string { return answers(r).Text(o.width()) },
		table:   func(t table.Table) string { return t.Text(textWidth) },
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

// form says how to write a document for people.
type form struct {
	title, head, prose, item func(string) string
	answers                  func() string
	table                    func(table.Table) string
}

// document writes the whole report: the answers, the figures, and the text about them.
func document(w io.Writer, r *report.Report, o Options, f form) error {
	out := new(strings.Builder)
	out.WriteString(f.title(title(r)) + f.answers())
	for _, run := range runs(r) {
		out.WriteString(f.prose(run))
	}
	if len(r.Arms) > 0 {
		for _, t := range filled(loadTable(r, loadColumns), initTable(r), otherTable(r)) {
			out.WriteString(f.table(notMeasured(t, r)))
		}
		out.WriteString(f.prose(note("about", r)))
	}
	write := func(all []page.Part) {
		for _, s := range all {
			out.WriteString(f.head(s.Title))
			for _, line := range s.Lines {
				out.WriteString(f.item(line))
			}
		}
	}
	write(slices.Concat(sections(r), findings(r)))
	further := slices.Concat(stepTables(r), leverTables(r), furtherTables(r, o))
	if slices.ContainsFunc(r.Arms, func(a *report.Arm) bool { return a.PredictedAWS != nil }) {
		further = append(further, sizeTable(r))
	}
	for _, t := range further {
		out.WriteString(f.table(t))
	}
	write(say(nil, "Warnings", r.Warnings))
	_, err := io.WriteString(w, out.String())
	return err
}

func answers(r *report.Report) table.Table {
	t := table.Table{Heads: table.Heads(2, "", "")}
	for _, a := range r.Answers {
		t.Add("  "+a.Question, said(a))
	}
	return t
}

// said returns an answer. It adds how sure the answer is, unless its interval or its words say so.
func said(a report.Answer) string {
	if a.Sure == "" || a.CI != nil || a.Predicted {
		return a.Answer
	}
	return a.Answer + " (" + a.Sure + ")"
}
