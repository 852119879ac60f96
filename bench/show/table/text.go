package table

import (
	"strings"
	"unicode/utf8"
)

// gap separates columns.
const gap = "  "

// leastRemark is the least width for a last column of words. If less is left, the words go below the row.
const leastRemark = 40

// Text returns the table without boxes. The note, and the last column if it holds words, wrap at width; 0 means that
// they never wrap. Other cells are never broken.
func (t Table) Text(width int) string {
	var b strings.Builder
	if t.Title != "" {
		b.WriteString("\n" + t.Title + "\n")
	}
	widths := t.widths()
	for k := range 2 { // heads have two lines; the first may be empty
		var cells []string
		for _, h := range t.Heads {
			lines := strings.Split("\n"+h.Text, "\n")
			cells = append(cells, lines[len(lines)-2+k])
		}
		if head := t.line(cells, widths, 0); head != "" {
			b.WriteString(head + "\n")
		}
	}
	for _, r := range t.Rows {
		b.WriteString(t.line(r.Cells, widths, width) + "\n")
	}
	if t.Note != "" {
		b.WriteString(Wrap(width, "", t.Note))
	}
	return b.String()
}

// widths returns the widths of the columns. The last cell of a short row does not count.
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

// line aligns cells. If width is not 0, the last one may continue on lines below.
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

// Wrap wraps prose at width, if it is not 0. Lines after the first are indented by the length of the prefix.
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
