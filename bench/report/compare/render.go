package compare

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twinstart/twinstart/bench/record"
)

// Formats are those of Write.
func Formats() []string { return []string{"csv", "json", "markdown", "text"} }

// Write draws a comparison.
func Write(w io.Writer, format string, c *Comparison) error {
	out := bufio.NewWriter(w)
	switch format {
	case "text":
		c.text(out)
	case "markdown":
		c.markdown(out)
	case "csv":
		if err := c.csv(out); err != nil {
			return err
		}
	case "json":
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(c); err != nil {
			return err
		}
	default:
		return fmt.Errorf("unknown format %q: use %s", format, strings.Join(Formats(), ", "))
	}
	return out.Flush()
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

// sections are the rows of each metric.
func (c *Comparison) sections() (out [][]Row) {
	for i, r := range c.Rows {
		if i == 0 || c.Rows[i-1].Metric != r.Metric {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], r)
	}
	return out
}

// cells are a row's columns: arm, old, new, change, test.
func (r *Row) cells() []string {
	change := "~"
	if r.Told {
		change = r.change()
	}
	test := fmt.Sprintf("n=%d+%d", r.Old.N, r.New.N)
	if r.Counted != "" {
		test = r.Counted
	}
	if r.P != nil {
		test = probability(*r.P) + " " + test
	}
	return []string{r.Arm, r.Old.String(), r.New.String(), change, test}
}

func (r *Row) change() string {
	if r.Ratio == nil {
		return fmt.Sprintf("%+g %s", r.Delta, r.Unit)
	}
	s := fmt.Sprintf("%+.1f %%", 100*(*r.Ratio-1))
	if r.CI != nil {
		s += fmt.Sprintf(" [%+.1f, %+.1f]", 100*(r.CI[0]-1), 100*(r.CI[1]-1))
	}
	return s
}

func (s Side) String() string {
	if s.CI == nil {
		return figure(s.Median)
	}
	return fmt.Sprintf("%s [%s, %s]", figure(s.Median), figure(s.CI[0]), figure(s.CI[1]))
}

func (c *Comparison) geomean(metric string) string {
	for _, g := range c.Geomeans {
		if g.Metric == metric && !g.Told {
			return "~"
		}
		if g.Metric == metric {
			return fmt.Sprintf("%+.1f %%", 100*(g.Ratio-1))
		}
	}
	return ""
}

func (c *Comparison) text(w io.Writer) {
	fmt.Fprintln(w, c.title())
	for _, rows := range c.sections() {
		table := [][]string{{fmt.Sprintf("%s (%s)", rows[0].Metric, rows[0].Unit), "OLD p50 [95 % CI]", "NEW p50 [95 % CI]", "change", ""}}
		for i := range rows {
			table = append(table, rows[i].cells())
		}
		if g := c.geomean(rows[0].Metric); g != "" {
			table = append(table, []string{"geomean", "", "", g, ""})
		}
		widths := make([]int, 5)
		for _, row := range table {
			for i, cell := range row {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
		fmt.Fprintln(w)
		for _, row := range table {
			var s strings.Builder
			for i, cell := range row {
				pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
				switch i {
				case 0, 4:
					s.WriteString(cell + pad + "  ")
				default:
					s.WriteString(pad + cell + "  ")
				}
			}
			fmt.Fprintln(w, strings.TrimRight(s.String(), " "))
		}
	}
	for _, l := range c.lists() {
		fmt.Fprintf(w, "\n%s\n", l.head)
		for _, line := range l.lines {
			fmt.Fprintf(w, "  - %s\n", line)
		}
	}
	fmt.Fprintf(w, "\n%s.\n\n%s\n", c.Method, c.summary())
}

// summary is the last line: what came out.
func (c *Comparison) summary() string {
	slower, faster := 0, 0
	for i := range c.Rows {
		switch r := &c.Rows[i]; {
		case r.Told && r.Delta > 0:
			slower++
		case r.Told:
			faster++
		}
	}
	s := fmt.Sprintf("%d of %d figures are higher and %d lower than in OLD; the others do not differ beyond noise.", slower, len(c.Rows), faster)
	if slower+faster == 0 {
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

// probability is "p=0.012" or "p<0.001".
func probability(p float64) string {
	if p < 0.001 {
		return "p<0.001"
	}
	return fmt.Sprintf("p=%.3f", p)
}

type listing struct {
	head  string
	lines []string
}

func (c *Comparison) lists() (out []listing) {
	var failed []string
	for _, f := range c.Failed {
		failed = append(failed, f.String())
	}
	for _, l := range []listing{{"Failed", failed}, {"Only in OLD", c.OnlyOld}, {"Only in NEW", c.OnlyNew}, {"Warnings", c.Warnings}} {
		if len(l.lines) > 0 {
			out = append(out, l)
		}
	}
	return out
}

func (c *Comparison) markdown(w io.Writer) {
	fmt.Fprintf(w, "## %s\n", c.title())
	for _, rows := range c.sections() {
		fmt.Fprintf(w, "\n| %s (%s) | OLD p50 [95 %% CI] | NEW p50 [95 %% CI] | change | |\n| --- | ---: | ---: | ---: | --- |\n", rows[0].Metric, rows[0].Unit)
		for i := range rows {
			cells := rows[i].cells()
			for k := range cells {
				cells[k] = escape(cells[k])
			}
			if rows[i].Told && rows[i].Delta != 0 {
				cells[3] = "**" + cells[3] + "**"
			}
			fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		}
		if g := c.geomean(rows[0].Metric); g != "" {
			fmt.Fprintf(w, "| geomean | | | %s | |\n", g)
		}
	}
	for _, l := range c.lists() {
		fmt.Fprintf(w, "\n### %s\n\n", l.head)
		for _, line := range l.lines {
			fmt.Fprintf(w, "- %s\n", escape(line))
		}
	}
	fmt.Fprintf(w, "\n%s.\n\n%s\n", escape(c.Method), c.summary())
}

// escape keeps text text in Markdown.
func escape(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_", "`", "\\`", "~", "\\~",
		"[", "\\[", "]", "\\]", "\n", " ", "\r", " ").Replace(s)
}

func (c *Comparison) csv(w io.Writer) error {
	rows := [][]string{{"metric", "unit", "arm", "source", "old_n", "old_median", "old_lo", "old_hi", "new_n", "new_median", "new_lo", "new_hi",
		"ratio", "ratio_lo", "ratio_hi", "delta", "p", "told_apart"}}
	number := func(x *float64) string {
		if x == nil {
			return ""
		}
		return strconv.FormatFloat(*x, 'g', -1, 64)
	}
	bounds := func(ci *[2]float64) (lo, hi string) {
		if ci == nil {
			return "", ""
		}
		return number(&ci[0]), number(&ci[1])
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		oldLo, oldHi := bounds(r.Old.CI)
		newLo, newHi := bounds(r.New.CI)
		lo, hi := bounds(r.CI)
		rows = append(rows, []string{r.Metric, r.Unit, r.Arm, string(r.Source), strconv.Itoa(r.Old.N), number(&r.Old.Median), oldLo, oldHi,
			strconv.Itoa(r.New.N), number(&r.New.Median), newLo, newHi, number(r.Ratio), lo, hi, number(&r.Delta), number(r.P), strconv.FormatBool(r.Told)})
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// figure writes a number with the digits that count.
func figure(x float64) string {
	switch {
	case math.Abs(x) >= 1000 || x == math.Trunc(x):
		return fmt.Sprintf("%.0f", x)
	case math.Abs(x) >= 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}
