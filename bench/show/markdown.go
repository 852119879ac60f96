package show

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
)

// markdown draws the report for a pull request: GitHub's tables.
func markdown(w io.Writer, r *report.Report, o Options) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "## %s\n\n", escape(title(r)))
	for _, a := range r.Answers {
		fmt.Fprintf(out, "- **%s** %s\n", escape(a.Question), escape(said(a)))
	}
	fmt.Fprintln(out)
	for _, run := range runs(r) {
		fmt.Fprintf(out, "%s  \n", escape(run))
	}
	if len(r.Arms) > 0 {
		fmt.Fprintf(out, "\n**%s**\n\n", escape(r.Verdict.Summary))
		fmt.Fprintf(out, "### %sINIT (Init Duration), ms\n\n", banner(r))
		markdownTable(out, initColumns, r)
		fmt.Fprintf(out, "\n### %sSize, other clocks (ms), memory, cost\n\n", banner(r))
		markdownTable(out, otherColumns, r)
		fmt.Fprintf(out, "\n%s\n", escape(notes(r)))
	}
	if len(r.NotMeasured) > 0 {
		fmt.Fprint(out, "\n### Not measured\n\n")
		for _, n := range r.NotMeasured {
			fmt.Fprintf(out, "- %s: %s\n", escape(n.Arm), escape(n.Why))
		}
	}
	for _, s := range append(sections(r), findings(r)...) {
		fmt.Fprintf(out, "\n### %s\n\n", s.head)
		for _, line := range s.lines {
			fmt.Fprintf(out, "- %s\n", escape(line))
		}
	}
	for _, g := range grids(r, o) {
		g.markdown(out)
	}
	if len(r.Warnings) > 0 {
		fmt.Fprint(out, "\n### Warnings\n\n")
		for _, line := range r.Warnings {
			fmt.Fprintf(out, "- %s\n", escape(line))
		}
	}
	return out.Flush()
}

func markdownTable(w io.Writer, columns []column, r *report.Report) {
	heads, rule := "|", "|"
	for _, c := range columns {
		heads += " " + escape(c.head) + " |"
		if c.left {
			rule += " --- |"
		} else {
			rule += " ---: |"
		}
	}
	fmt.Fprintf(w, "%s\n%s\n", heads, rule)
	best := winners(r)
	for i := range r.Arms {
		fmt.Fprint(w, "|")
		for j, c := range columns {
			cell := escape(c.cell(&r.Arms[i]))
			if j == 0 && best[r.Arms[i].Arm] {
				cell = "**" + cell + "**"
			}
			fmt.Fprintf(w, " %s |", cell)
		}
		fmt.Fprintln(w)
	}
}

// escape keeps text text: an error message of a function must not become a table, a link or a tag.
func escape(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_", "`", "\\`", "~", "\\~",
		"[", "\\[", "]", "\\]", "\n", " ", "\r", " ").Replace(s)
}
