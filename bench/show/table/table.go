// Package table is every table that a command prints: the same heads and cells as text, as Markdown, as CSV, and on a page.
//
// It imports nothing of the project, so that whatever measures, computes or explains can hold its figures in one.
package table

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// None stands for what was not measured, or for which there are too few samples.
const None = "-"

// Table is heads, rows, and what is said above and below them.
type Table struct {
	ID    string // of the element on a page
	Title string
	Note  string
	Clock string // on a page: the clock that the table belongs to; "" shows it whichever is chosen
	Heads []Head
	Rows  []Row
}

// Head is the head of a column. Text may have two lines.
type Head struct {
	Text string
	Left bool // a column of words; figures stand right
}

// Row is a line of cells. One with fewer cells than heads ends early: its last cell may be as long as it needs to be.
type Row struct {
	Cells []string
	Best  bool   // told to be the best
	Arm   string // on a page: the number of the arm that it is about, by which filters choose it
}

// Heads are the heads of columns, of which the first are words.
func Heads(left int, texts ...string) []Head {
	heads := make([]Head, len(texts))
	for i, t := range texts {
		heads[i] = Head{t, i < left}
	}
	return heads
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, Row{Cells: cells}) }

// Fitting is the table without the columns that say nothing, and without the last ones that a width has no room for.
func (t Table) Fitting(width int) Table {
	var keep []int
	used := 0
	widths := t.widths()
	for i := range t.Heads {
		says := i == 0
		for _, r := range t.Rows {
			says = says || i < len(r.Cells) && r.Cells[i] != None
		}
		if !says {
			continue
		}
		if used += widths[i] + len(gap); used > width+len(gap) && len(keep) > 1 {
			break
		}
		keep = append(keep, i)
	}
	out := t
	out.Heads, out.Rows = nil, nil
	for _, i := range keep {
		out.Heads = append(out.Heads, t.Heads[i])
	}
	for _, r := range t.Rows {
		cells := r.Cells
		r.Cells = nil
		for _, i := range keep {
			if i < len(cells) {
				r.Cells = append(r.Cells, cells[i])
			}
		}
		out.Rows = append(out.Rows, r)
	}
	return out
}

// Markdown is the table in GitHub's form.
func (t Table) Markdown() string {
	var b strings.Builder
	if t.Title != "" {
		b.WriteString("\n### " + Escape(t.Title) + "\n\n")
	}
	heads, rule := "|", "|"
	for _, h := range t.Heads {
		heads += " " + Escape(h.Text) + " |"
		if h.Left {
			rule += " --- |"
		} else {
			rule += " ---: |"
		}
	}
	b.WriteString(heads + "\n" + rule + "\n")
	for _, r := range t.Rows {
		b.WriteString("|")
		for i := range t.Heads {
			cell := ""
			if i < len(r.Cells) {
				cell = Escape(r.Cells[i])
			}
			if i == 0 && r.Best {
				cell = "**" + cell + "**"
			}
			b.WriteString(" " + cell + " |")
		}
		b.WriteString("\n")
	}
	if t.Note != "" {
		b.WriteString("\n" + Escape(t.Note) + "\n")
	}
	return b.String()
}

// escapes keep text text in Markdown: an error message of a function must not become a table, a link or a tag.
var escapes = strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_", "`", "\\`", "~", "\\~",
	"[", "\\[", "]", "\\]", "\n", " ", "\r", " ")

// Escape is text as Markdown shows it.
func Escape(s string) string { return escapes.Replace(s) }

// CSV writes heads and rows for programs, with neither title nor note.
func (t Table) CSV(w io.Writer) error {
	rows := make([][]string, 1, 1+len(t.Rows))
	for _, h := range t.Heads {
		rows[0] = append(rows[0], h.Text)
	}
	for _, r := range t.Rows {
		rows = append(rows, r.Cells)
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// JSON writes a document for programs, indented so that people can read it, too.
func JSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(document); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

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

// Text is the table without boxes. The last column, if it is words, and the note wrap at width; 0 never wraps. Other
// cells are never broken.
func (t Table) Text(width int, p Painter) string {
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
	return b.String()
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
