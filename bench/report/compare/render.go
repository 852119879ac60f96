package compare

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// Write draws a comparison.
func Write(w io.Writer, format string, c *Comparison) error {
	var text string
	switch format {
	case "text":
		plain := func(s string) string { return s }
		text = c.prose("%s\n", "\n%s\n", "  - %s\n", plain, func(t table.Table) string { return t.Text(0) })
	case "markdown":
		text = c.prose("## %s\n", "\n### %s\n\n", "- %s\n", table.Escape, table.Table.Markdown)
	case "csv":
		return c.all().CSV(w)
	case "json":
		return table.JSON(w, c)
	default:
		return fmt.Errorf("unknown format %q", format)
	}
	_, err := io.WriteString(w, text)
	return err
}

// prose returns the comparison for people: tables, lists, the method and the result, in the formats of title, head
// and item.
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

// tables returns a table for each metric.
func (c *Comparison) tables() (out []table.Table) {
	for i, r := range c.Rows {
		if i == 0 || c.Rows[i-1].Metric != r.Metric {
			out = append(out, table.Table{Title: fmt.Sprintf("%s (%s)", r.Metric, r.Unit), Heads: append(table.Heads(1, "arm", "OLD p50 [95 % CI]", "NEW p50 [95 % CI]", "change"), table.Head{Text: "test", Left: true})})
		}
		t := &out[len(out)-1]
		change, test := "~", fmt.Sprintf("n=%d+%d", r.Old.N, r.New.N)
		if r.Told {
			change = r.change()
		}
		if r.Counted != "" {
			test = r.Counted
		}
		if r.P != nil {
			test = probability(*r.P) + " " + test
		}
		t.Rows = append(t.Rows, table.Row{Cells: []string{r.Arm, r.Old.String(), r.New.String(), change, test}, Best: r.Told && r.Delta != 0})
		if i == len(c.Rows)-1 || c.Rows[i+1].Metric != r.Metric {
			for _, g := range c.Geomeans {
				switch {
				case g.Metric == r.Metric && g.Told:
					t.Add("geomean", "", "", fmt.Sprintf("%+.1f %%", 100*(g.Ratio-1)), "")
				case g.Metric == r.Metric:
					t.Add("geomean", "", "", "~", "")
				}
			}
		}
	}
	return out
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

// summary returns the last line: the result.
func (c *Comparison) summary() string {
	slower, faster := 0, 0
	for _, r := range c.Rows {
		switch {
		case r.Told && (r.Delta > 0 || r.Delta == 0 && r.CI != nil && r.CI[0] > 1): // the medians are equal, but the distributions differ
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

// probability returns "p=0.012" or "p<0.001".
func probability(p float64) string { return strings.ReplaceAll(report.Probability(p), " ", "") }

// all returns one table for programs.
func (c *Comparison) all() table.Table {
	t := table.Table{Heads: table.Heads(0, "metric", "unit", "arm", "source", "old_n", "old_median", "old_lo", "old_hi", "new_n", "new_median", "new_lo", "new_hi",
		"ratio", "ratio_lo", "ratio_hi", "delta", "p", "told_apart")}
	number := func(x *float64) string {
		if x == nil {
			return ""
		}
		return strconv.FormatFloat(*x, 'g', -1, 64)
	}
	interval := func(x *float64, ci *[2]float64) []string {
		if ci == nil {
			return []string{number(x), "", ""}
		}
		return []string{number(x), number(&ci[0]), number(&ci[1])}
	}
	for _, r := range c.Rows {
		t.Add(slices.Concat([]string{r.Metric, r.Unit, r.Arm, string(r.Source), strconv.Itoa(r.Old.N)}, interval(&r.Old.Median, r.Old.CI), []string{strconv.Itoa(r.New.N)},
			interval(&r.New.Median, r.New.CI), interval(r.Ratio, r.CI), []string{number(&r.Delta), number(r.P), strconv.FormatBool(r.Told)})...)
	}
	return t
}

// figure formats a number with its significant digits.
func figure(x float64) string {
	if x == math.Trunc(x) {
		return fmt.Sprintf("%.0f", x)
	}
	return report.Digits(x)
}

// warn lists causes of a difference other than the functions.
func (c *Comparison) warn(before, after *report.Report) {
	for _, w := range before.Warnings {
		side := "OLD: "
		if slices.Contains(after.Warnings, w) {
			side = "OLD and NEW: "
		}
		c.Warnings = append(c.Warnings, side+w)
	}
	for _, w := range after.Warnings {
		if !slices.Contains(before.Warnings, w) {
			c.Warnings = append(c.Warnings, "NEW: "+w)
		}
	}
	if len(c.Sources) > 1 {
		c.Warnings = append(c.Warnings, "lab and AWS are held against each other, as asked: the difference is mostly that of the places")
	}
	old, current := settings(before), settings(after)
	for _, name := range []string{"machines", "twinstart versions", "regions", "options"} {
		if len(old[name]) > 0 && len(current[name]) > 0 && !slices.Equal(old[name], current[name]) {
			c.Warnings = append(c.Warnings, fmt.Sprintf("measured with different %s: %v and %v", name, old[name], current[name]))
		}
	}
	var few []string
	arms := map[string]int{}
	for _, r := range c.Rows {
		if why := r.Metric + ": " + r.Blind; r.Blind != "" {
			few = list.Add(few, why)
			arms[why]++
		}
	}
	for _, why := range few {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s (%d of the arms)", why, arms[why]))
	}
}

// settings returns the settings of a run that change its figures.
func settings(r *report.Report) map[string][]string {
	out := map[string][]string{}
	add := func(name, value string) {
		if value != "" {
			out[name] = list.Add(out[name], value)
			slices.Sort(out[name])
		}
	}
	for _, run := range r.Runs {
		if m := run.Machine; m != nil {
			add("machines", fmt.Sprintf("%s, %d CPUs, %s %s", m.CPU, m.CPUs, m.Architecture, m.Kernel))
		}
		add("twinstart versions", run.Versions["twinstart"])
		for _, name := range []string{"readAheadKiB", "initCPU", "event"} {
			if v, ok := run.Options[name]; ok {
				add("options", fmt.Sprintf("%s=%v", name, v))
			}
		}
	}
	for _, a := range r.Arms {
		add("regions", a.Region)
	}
	return out
}
