package show

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/twinstart/twinstart/bench/report"
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
	fmt.Fprintln(out, paint(strong, title(r)))
	writeAnswers(out, o.width(), r, paint)
	for _, run := range runs(r) {
		fmt.Fprintln(out, run)
	}
	if len(r.Arms) > 0 {
		fmt.Fprintf(out, "\n%s\n", paint(strong, banner(r)+"INIT (Init Duration), ms"))
		textTable(out, initColumns, r, paint)
		fmt.Fprintf(out, "\n%s\n", paint(strong, banner(r)+"Size, other clocks (ms), memory, cost"))
		textTable(out, otherColumns, r, paint)
		wrap(out, "", notes(r))
		fmt.Fprintf(out, "\n%s\n", paint(strong, "Verdict"))
		wrap(out, "  ", r.Verdict.Summary)
	}
	for _, s := range append(sections(r), findings(r)...) {
		fmt.Fprintf(out, "\n  %s\n", s.head)
		for _, line := range s.lines {
			wrap(out, "  - ", line)
		}
	}
	for _, g := range grids(r, o) {
		g.text(out, paint)
	}
	if len(r.Warnings) > 0 {
		fmt.Fprintf(out, "\n%s\n", paint(strong, "Warnings"))
		for _, line := range r.Warnings {
			wrap(out, "  - ", line)
		}
	}
	return out.Flush()
}

// textTable draws a table without boxes: first column left, figures right.
func textTable(w io.Writer, columns []column, r *report.Report, paint func(style, string) string) {
	rows := make([][]string, len(r.Arms))
	widths := make([]int, len(columns))
	for i, c := range columns {
		for line := range strings.SplitSeq(c.head, "\n") {
			widths[i] = max(widths[i], utf8.RuneCountInString(line))
		}
		for j := range r.Arms {
			cell := c.cell(&r.Arms[j])
			rows[j] = append(rows[j], cell)
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, n := range r.NotMeasured {
		widths[0] = max(widths[0], utf8.RuneCountInString(n.Arm))
	}
	line := func(cells []string) string {
		var s strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				s.WriteString("  ")
			}
			if columns[i].left {
				s.WriteString(cell + pad)
			} else {
				s.WriteString(pad + cell)
			}
		}
		return strings.TrimRight(s.String(), " ")
	}
	upper, lower := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		upper[i], lower[i], _ = strings.Cut(c.head, "\n")
		if lower[i] == "" {
			upper[i], lower[i] = "", upper[i]
		}
	}
	if head := line(upper); head != "" {
		fmt.Fprintln(w, paint(faint, head))
	}
	fmt.Fprintln(w, paint(faint, line(lower)))
	best := winners(r)
	for j, cells := range rows {
		st := plain
		if best[r.Arms[j].Arm] {
			st = winner
		}
		fmt.Fprintln(w, paint(st, line(cells)))
	}
	for _, n := range r.NotMeasured {
		fmt.Fprintf(w, "%-*s  not measured: %s\n", widths[0], n.Arm, n.Why)
	}
}

// winners are the arms that nothing is told to be faster than by the primary claim, where that tells any apart.
func winners(r *report.Report) map[string]bool {
	out := map[string]bool{}
	for _, c := range r.Verdict.Claims {
		if c.Primary && c.Told() {
			for _, a := range c.Winners {
				out[a] = true
			}
		}
	}
	return out
}

// wrap writes prose; lines after the first are indented as far as its prefix is long.
func wrap(w io.Writer, prefix, s string) { wrapAt(w, textWidth, prefix, s) }

func wrapAt(w io.Writer, width int, prefix, s string) {
	line, indent := prefix, strings.Repeat(" ", utf8.RuneCountInString(prefix))
	empty := true
	for word := range strings.FieldsSeq(s) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			fmt.Fprintln(w, line)
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	fmt.Fprintln(w, line)
}

type style int

const (
	plain style = iota
	strong
	faint
	winner
)

// painter colours whole lines, so that widths stay what they are.
func painter(colour bool) func(style, string) string {
	if !colour {
		return func(_ style, s string) string { return s }
	}
	styles := map[style]*color.Color{strong: color.New(color.Bold), faint: color.New(color.Faint), winner: color.New(color.FgGreen)}
	return func(st style, s string) string {
		c := styles[st]
		if c == nil {
			return s
		}
		c.EnableColor()
		return c.Sprint(s)
	}
}
