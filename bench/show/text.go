package show

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/twinstart/twinstart/bench/report"
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
		answers: func(w io.Writer) error { return answers(r).Text(w, o.width(), paint) },
		table:   func(w io.Writer, t table.Table) error { return t.Text(w, textWidth, paint) },
	})
}

// markdown draws the report for a pull request: GitHub's tables.
func markdown(w io.Writer, r *report.Report, o Options) error {
	return document(w, r, o, form{
		title: func(s string) string { return "## " + table.Escape(s) + "\n\n" },
		head:  func(s string) string { return "\n### " + table.Escape(s) + "\n\n" },
		prose: func(s string) string { return "\n" + table.Escape(s) + "\n" },
		item:  func(s string) string { return "- " + table.Escape(s) + "\n" },
		answers: func(w io.Writer) (err error) {
			for _, a := range r.Answers {
				_, err = fmt.Fprintf(w, "- **%s** %s\n", table.Escape(a.Question), table.Escape(said(a)))
			}
			return err
		},
		table: func(w io.Writer, t table.Table) error { return t.Markdown(w) },
	})
}

// form is how a document for people is written.
type form struct {
	title, head, prose, item func(string) string
	answers                  func(io.Writer) error
	table                    func(io.Writer, table.Table) error
}

// document is the report in full: the answers, the figures, and what is to be said of them.
func document(w io.Writer, r *report.Report, o Options, f form) error {
	out := new(strings.Builder)
	out.WriteString(f.title(title(r)))
	if err := f.answers(out); err != nil {
		return err
	}
	for _, run := range runs(r) {
		out.WriteString(f.prose(run))
	}
	var all []section
	if len(r.Arms) > 0 {
		for _, t := range mainTables(r) {
			if err := f.table(out, notMeasured(t, r)); err != nil {
				return err
			}
		}
		out.WriteString(f.prose(notes(r)))
		all = append(all, section{"Verdict", []string{r.Verdict.Summary}})
	}
	write := func(all []section) {
		for _, s := range all {
			out.WriteString(f.head(s.head))
			for _, line := range s.lines {
				out.WriteString(f.item(line))
			}
		}
	}
	write(slices.Concat(all, sections(r), findings(r)))
	for _, t := range furtherTables(r, o) {
		if err := f.table(out, t); err != nil {
			return err
		}
	}
	if len(r.Warnings) > 0 {
		write([]section{{"Warnings", r.Warnings}})
	}
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
