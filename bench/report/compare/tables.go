package compare

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// tables returns a table for each metric.
func (c *Comparison) tables() (out []table.Table) {
	for i, r := range c.Rows {
		if i == 0 || c.Rows[i-1].Metric != r.Metric {
			heads := table.Heads(1, "arm", "OLD p50 [95 % CI]", "NEW p50 [95 % CI]", "change", "test")
			heads[4].Left = true
			out = append(out, table.Table{Title: fmt.Sprintf("%s (%s)", r.Metric, r.Unit), Heads: heads})
		}
		t := &out[len(out)-1]
		change, test := "~", cmp.Or(r.Counted, fmt.Sprintf("n=%d+%d", r.Old.N, r.New.N))
		if r.Told {
			change = r.change()
		}
		if r.P != nil {
			test = probability(*r.P) + " " + test
		}
		cells := []string{r.Arm, r.Old.String(), r.New.String(), change, test}
		t.Rows = append(t.Rows, table.Row{Cells: cells, Best: r.Told && r.Delta != 0})
	}
	return out
}

// change returns the change in percent with its interval, or in the metric's unit if OLD's median is 0.
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

// probability returns "p=0.012" or "p<0.001".
func probability(p float64) string { return strings.ReplaceAll(report.Probability(p), " ", "") }

// figure formats a number with its significant digits.
func figure(x float64) string {
	if x == math.Trunc(x) {
		return fmt.Sprintf("%.0f", x)
	}
	return report.Digits(x)
}

// warn lists what may cause a difference besides the functions, and which rows cannot tell anything apart.
func (c *Comparison) warn(before, after *report.Report) {
	sides := map[[2]bool]string{{true, true}: "OLD and NEW: ", {true, false}: "OLD: ", {false, true}: "NEW: "}
	for _, w := range list.Add(slices.Clone(before.Warnings), after.Warnings...) {
		side := sides[[2]bool{slices.Contains(before.Warnings, w), slices.Contains(after.Warnings, w)}]
		c.Warnings = append(c.Warnings, side+w)
	}
	if len(c.Sources) > 1 {
		c.Warnings = append(c.Warnings, "lab and AWS are compared, as asked: most of the difference is between the two")
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
	return slices.Sorted(slices.Values(out))
}
