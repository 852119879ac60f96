package compare

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
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
		t := table.Table{Heads: table.Heads(0, strings.Fields(strings.NewReplacer("_median_ci95", "", "_ci95", "").Replace(csvNames))...)}
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

// csvNames are the columns of the CSV form, by the names of the JSON form.
const csvNames = "metric unit arm source old_n old_median old_median_ci95_lo old_median_ci95_hi new_n new_median new_median_ci95_lo " +
	"new_median_ci95_hi ratio ratio_ci95_lo ratio_ci95_hi delta p told_apart"

// figure formats a number with its significant digits.
func figure(x float64) string {
	if x == math.Trunc(x) {
		return fmt.Sprintf("%.0f", x)
	}
	return report.Digits(x)
}

// warn lists causes of a difference other than the functions.
func (c *Comparison) warn(before, after *report.Report) {
	sides := map[[2]bool]string{{true, true}: "OLD and NEW: ", {true, false}: "OLD: ", {false, true}: "NEW: "}
	for _, w := range list.Add(slices.Clone(before.Warnings), after.Warnings...) {
		c.Warnings = append(c.Warnings, sides[[2]bool{slices.Contains(before.Warnings, w), slices.Contains(after.Warnings, w)}]+w)
	}
	if len(c.Sources) > 1 {
		c.Warnings = append(c.Warnings, "lab and AWS are held against each other, as asked: the difference is mostly that of the places")
	}
	old, current := settings(before), settings(after)
	if len(old) > 0 && len(current) > 0 && !slices.Equal(old, current) {
		c.Warnings = append(c.Warnings, fmt.Sprintf("measured with different settings: %v and %v", old, current))
	}
	blind := map[string]int{}
	for _, r := range c.Rows {
		if r.Blind != "" {
			blind[r.Metric+": "+r.Blind]++
		}
	}
	for _, why := range slices.Sorted(maps.Keys(blind)) {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s (%d of the arms)", why, blind[why]))
	}
}

// settings returns what changes a run's figures: machine, version, region and options.
func settings(r *report.Report) (out []string) {
	for _, run := range r.Runs {
		s := "twinstart " + run.Versions["twinstart"]
		if m := run.Machine; m != nil {
			s += fmt.Sprintf(" %s, %d CPUs, %s %s", m.CPU, m.CPUs, m.Architecture, m.Kernel)
		}
		for _, name := range []string{"readAheadKiB", "initCPU", "event"} {
			if v, ok := run.Options[name]; ok {
				s += fmt.Sprintf(" %s=%v", name, v)
			}
		}
		out = list.Add(out, s)
	}
	for _, a := range r.Arms {
		if a.Region != "" {
			out = list.Add(out, a.Region)
		}
	}
	slices.Sort(out)
	return out
}
