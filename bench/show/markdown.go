package show

import (
	"bufio"
	"fmt"
	"io"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// markdown draws the report for a pull request: GitHub's tables.
func markdown(w io.Writer, r *report.Report, o Options) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "## %s\n\n", table.Escape(title(r)))
	for _, a := range r.Answers {
		fmt.Fprintf(out, "- **%s** %s\n", table.Escape(a.Question), table.Escape(said(a)))
	}
	fmt.Fprintln(out)
	for _, run := range runs(r) {
		fmt.Fprintf(out, "%s  \n", table.Escape(run))
	}
	if len(r.Arms) > 0 {
		fmt.Fprintf(out, "\n**%s**\n", table.Escape(r.Verdict.Summary))
		for _, t := range mainTables(r) {
			if err := t.Markdown(out); err != nil {
				return err
			}
		}
		fmt.Fprintf(out, "\n%s\n", table.Escape(notes(r)))
	}
	if len(r.NotMeasured) > 0 {
		fmt.Fprint(out, "\n### Not measured\n\n")
		for _, n := range r.NotMeasured {
			fmt.Fprintf(out, "- %s: %s\n", table.Escape(n.Arm), table.Escape(n.Why))
		}
	}
	for _, s := range append(sections(r), findings(r)...) {
		fmt.Fprintf(out, "\n### %s\n\n", s.head)
		for _, line := range s.lines {
			fmt.Fprintf(out, "- %s\n", table.Escape(line))
		}
	}
	for _, t := range furtherTables(r, o) {
		if err := t.Markdown(out); err != nil {
			return err
		}
	}
	if len(r.Warnings) > 0 {
		fmt.Fprint(out, "\n### Warnings\n\n")
		for _, line := range r.Warnings {
			fmt.Fprintf(out, "- %s\n", table.Escape(line))
		}
	}
	return out.Flush()
}
