// Package table writes tables: the same heads and cells as text, as Markdown, as CSV, and on a page.
//
// It imports nothing of the project, so that every package can use it.
package table

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// None is the cell of a figure that was not measured or has too few samples.
const None = "-"

// Table is a table with a title above and a note below.
type Table struct {
	ID    string // of the element on a page
	Title string
	Note  string
	Clock string // on a page: the clock that the table belongs to; "" if it is always shown
	Heads []Head
	Rows  []Row
}

// Head is the head of a column. Text may have two lines.
type Head struct {
	Text string
	Left bool // a column of words; columns of figures are right-aligned
}

// Row is a row of cells. If it has fewer cells than heads, its last cell may be of any length.
type Row struct {
	Cells []string
	Best  bool   // the row is highlighted, on a page and in Markdown
	Arm   string // on a page: the number of the row's arm, for filters
}

// Heads returns heads of columns. The first ones hold words; left is their number.
func Heads(left int, texts ...string) []Head {
	heads := make([]Head, len(texts))
	for i, t := range texts {
		heads[i] = Head{t, i < left}
	}
	return heads
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, Row{Cells: cells}) }

// Filled returns the table without empty columns.
func (t Table) Filled() Table { return t.Fitting(math.MaxInt / 2) }

// Fitting returns the table without empty columns, and without the last columns that do not fit into a width.
func (t Table) Fitting(width int) Table {
	out, used, widths := t, 0, t.widths()
	out.Heads, out.Rows = nil, slices.Clone(t.Rows)
	for k := range out.Rows {
		out.Rows[k].Cells = nil
	}
	for i, head := range t.Heads {
		if i > 0 && !slices.ContainsFunc(t.Rows, func(r Row) bool { return i < len(r.Cells) && r.Cells[i] != None }) {
			continue
		}
		if used += widths[i] + len(gap); used > width+len(gap) && len(out.Heads) > 1 {
			break
		}
		out.Heads = append(out.Heads, head)
		for k, r := range t.Rows {
			if i < len(r.Cells) {
				out.Rows[k].Cells = append(out.Rows[k].Cells, r.Cells[i])
			}
		}
	}
	return out
}

// Markdown returns the table in GitHub's form.
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

// escapes keeps a function's error message from becoming a table, a link or a tag in Markdown.
var escapes = strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_",
	"`", "\\`", "~", "\\~", "[", "\\[", "]", "\\]", "\n", " ", "\r", " ")

// Escape escapes text for Markdown.
func Escape(s string) string { return escapes.Replace(s) }

// CSV writes heads and rows for programs, without title and note.
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

// AddValues adds a row with values of a document's JSON form. A name is the path to its value, joined by _; the ends of
// an interval are NAME_lo and NAME_hi.
func (t *Table) AddValues(names []string, document any) error {
	encoded, err := json.Marshal(document)
	if err != nil {
		return err
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(encoded))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return err
	}
	cells := map[string]string{}
	flatten(cells, "", value)
	var row []string
	for _, name := range names {
		row = append(row, cells[name])
	}
	t.Add(row...)
	return nil
}

// flatten names each value of a JSON document by its path.
func flatten(cells map[string]string, name string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, x := range v {
			flatten(cells, strings.TrimPrefix(name+"_"+key, "_"), x)
		}
	case []any:
		if len(v) == 2 { // an interval
			name = strings.TrimSuffix(name, "_interval")
			flatten(cells, name+"_lo", v[0])
			flatten(cells, name+"_hi", v[1])
		}
	case string, json.Number, bool:
		cells[name] = fmt.Sprint(v)
	}
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
