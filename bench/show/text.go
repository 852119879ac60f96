package show

import (
	"bufio"
	"fmt"
	"io"

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
	out := bufio.NewWriter(w)
	paint := painter(o.Colour)
	head := func(s string) { fmt.Fprintf(out, "\n%s\n", paint.Paint(table.Strong, s)) }
	list := func(lines []string) {
		for _, line := range lines {
			fmt.Fprint(out, table.Wrap(textWidth, "  - ", line))
		}
	}
	fmt.Fprintln(out, paint.Paint(table.Strong, title(r)))
	writeAnswers(out, o.width(), r, paint)
	for _, run := range runs(r) {
		fmt.Fprintln(out, run)
	}
	if len(r.Arms) > 0 {
		for _, t := range mainTables(r) {
			if err := notMeasured(t, r).Text(out, 0, paint); err != nil {
				return err
			}
		}
		fmt.Fprint(out, table.Wrap(textWidth, "", notes(r)))
		head("Verdict")
		fmt.Fprint(out, table.Wrap(textWidth, "  ", r.Verdict.Summary))
	}
	for _, s := range append(sections(r), findings(r)...) {
		fmt.Fprintf(out, "\n  %s\n", s.head)
		list(s.lines)
	}
	for _, t := range furtherTables(r, o) {
		if err := t.Text(out, textWidth, paint); err != nil {
			return err
		}
	}
	if len(r.Warnings) > 0 {
		head("Warnings")
		list(r.Warnings)
	}
	return out.Flush()
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
