package table

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Style is how a line of text stands out on a terminal.
type Style int

// The styles of lines.
const (
	Plain Style = iota
	Strong
	Faint
	Best
)

// Painter colours whole lines, so that widths stay what they are; nil paints nothing.
type Painter func(Style, string) string

// Paint is a line in a style.
func (p Painter) Paint(s Style, line string) string {
	if p == nil {
		return line
	}
	return p(s, line)
}

// gap stands between columns.
const gap = "  "

// leastRemark is the room that a last column of words needs beside the others; with less it stands below them.
const leastRemark = 40

// Text writes the table without boxes. Words of the last column, and the note, end at width, if it is not 0; other cells are never broken.
func (t Table) Text(w io.Writer, width int, p Painter) error {
	var b strings.Builder
	if t.Title != "" {
		b.WriteString("\n" + p.Paint(Strong, t.Title) + "\n")
	}
	widths := t.widths()
	upper, lower := make([]string, len(t.Heads)), make([]string, len(t.Heads))
	for i, h := range t.Heads {
		upper[i], lower[i], _ = strings.Cut(h.Text, "\n")
		if lower[i] == "" {
			upper[i], lower[i] = "", upper[i]
		}
	}
	for _, cells := range [][]string{upper, lower} {
		if head := t.line(cells, widths, 0); head != "" {
			b.WriteString(p.Paint(Faint, head) + "\n")
		}
	}
	for _, r := range t.Rows {
		style := Plain
		if r.Best {
			style = Best
		}
		b.WriteString(p.Paint(style, t.line(r.Cells, widths, width)) + "\n")
	}
	if t.Note != "" {
		b.WriteString(Wrap(width, "", t.Note))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// widths are those of the columns. The last cell of a row that ends early, and a last column of words, take the room that is left.
func (t Table) widths() []int {
	widths := make([]int, len(t.Heads))
	for i, h := range t.Heads {
		for line := range strings.SplitSeq(h.Text, "\n") {
			widths[i] = max(widths[i], utf8.RuneCountInString(line))
		}
	}
	for _, r := range t.Rows {
		for i, cell := range r.Cells {
			if i < len(r.Cells)-1 || len(r.Cells) == len(t.Heads) {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	return widths
}

// line aligns cells; with a width the last one may go on below.
func (t Table) line(cells []string, widths []int, width int) string {
	line, at := "", 0 // at: columns so far
	for i, cell := range cells {
		if i > 0 {
			line, at = line+gap, at+len(gap)
		}
		last := i == len(cells)-1
		if last && i > 0 && (t.Heads[i].Left || len(cells) < len(t.Heads)) {
			if width == 0 || at+utf8.RuneCountInString(cell) <= width || !strings.Contains(cell, " ") {
				line += cell
				break
			}
			if width-at < leastRemark {
				return strings.TrimRight(line, " ") + "\n" + strings.TrimSuffix(Wrap(width, "    ", cell), "\n")
			}
			return line + strings.TrimSuffix(Wrap(width, strings.Repeat(" ", at), cell)[at:], "\n")
		}
		pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell)))
		if t.Heads[i].Left {
			line += cell + pad
		} else {
			line += pad + cell
		}
		at += max(widths[i], utf8.RuneCountInString(cell))
	}
	return strings.TrimRight(line, " ")
}

// Wrap is prose in lines that end at width, if it is not 0; those after the first are indented as far as the prefix is long.
func Wrap(width int, prefix, s string) string {
	var b strings.Builder
	line, indent := prefix, strings.Repeat(" ", utf8.RuneCountInString(prefix))
	empty := true
	for word := range strings.FieldsSeq(s) {
		if !empty && width > 0 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			b.WriteString(line + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	return b.String() + line + "\n"
}
