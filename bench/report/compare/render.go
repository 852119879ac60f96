package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/show/table"
)

// Write draws a comparison as text, markdown, csv or json.
func Write(w io.Writer, format string, c *Comparison) error {
	var text string
	switch format {
	case "text":
		plain := func(s string) string { return s }
		text = c.prose("%s\n", "\n%s\n", "  - %s\n", plain, func(t table.Table) string { return t.Text(0) })
	case "markdown":
		text = c.prose("## %s\n", "\n### %s\n\n", "- %s\n", table.Escape, table.Table.Markdown)
	case "csv":
		heads := strings.NewReplacer("_median_ci95", "", "_ci95", "").Replace(csvNames)
		t := table.Table{Heads: table.Heads(0, strings.Fields(heads)...)}
		for _, r := range c.Rows {
			if err := t.AddValues(strings.Fields(csvNames), r); err != nil {
				return err
			}
		}
		return t.CSV(w)
	case "json":
		return table.JSON(w, c)
	default:
		return fmt.Errorf("unknown format %q", format)
	}
	_, err := io.WriteString(w, text)
	return err
}

// prose returns the comparison for people: tables, lists, the method and the result. title, head and item are formats
// of one line each.
func (c *Comparison) prose(title, head, item string, escape func(string) string, draw func(table.Table) string) string {
	out := new(strings.Builder)
	fmt.Fprintf(out, title, c.title())
	for _, t := range c.tables() {
		out.WriteString(draw(t))
	}
	failed := list.Map(c.Failed, Failure.String)
	for _, l := range []struct {
		head  string
		lines []string
	}{{"Failed", failed}, {"Only in OLD", c.OnlyOld}, {"Only in NEW", c.OnlyNew}, {"Warnings", c.Warnings}} {
		if len(l.lines) > 0 {
			fmt.Fprintf(out, head, l.head)
		}
		for _, line := range l.lines {
			fmt.Fprintf(out, item, escape(line))
		}
	}
	fmt.Fprintf(out, "\n%s.\n\n%s\n", escape(c.Method), c.summary())
	return out.String()
}

func (c *Comparison) title() string {
	s := "Comparison, OLD against NEW"
	switch {
	case len(c.Sources) > 1:
		return s + ": lab and AWS mixed, as asked"
	case c.Sources[0] == record.Lab:
		return s + ": measured in the lab, not on AWS"
	}
	return s + ": measured on AWS"
}

// summary returns the last line: the result.
func (c *Comparison) summary() string {
	higher, lower := 0, 0
	for _, r := range c.Rows {
		switch {
		case r.Told && (r.Delta > 0 || r.Delta == 0 && r.CI != nil && r.CI[0] > 1): // equal medians may be told apart
			higher++
		case r.Told:
			lower++
		}
	}
	s := fmt.Sprintf("%d of %d figures are higher and %d lower than in OLD; the others do not differ beyond noise.",
		higher, len(c.Rows), lower)
	if higher+lower == 0 {
		s = "Nothing changed beyond noise."
	}
	if c.limits > 0 {
		broken := map[string]bool{}
		for _, f := range c.Failed {
			broken[f.Expression] = true
		}
		s += fmt.Sprintf(" Limits kept: %d of %d.", c.limits-len(broken), c.limits)
	}
	return s
}

// csvNames are the columns of the CSV form, by the names of the JSON form.
const csvNames = "metric unit arm source old_n old_median old_median_ci95_lo old_median_ci95_hi " +
	"new_n new_median new_median_ci95_lo new_median_ci95_hi ratio ratio_ci95_lo ratio_ci95_hi delta p told_apart"
