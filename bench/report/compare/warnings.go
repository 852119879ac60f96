package compare

import (
	"fmt"
	"slices"

	"github.com/twinstart/twinstart/bench/report"
)

// warn says what may be behind a difference besides the functions.
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
	few := map[string]int{}
	for _, r := range c.Rows {
		if r.Blind != "" {
			few[r.Metric+": "+r.Blind]++
		}
	}
	for _, r := range c.Rows {
		k := r.Metric + ": " + r.Blind
		if n := few[k]; n > 0 {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s (%d of the arms)", k, n))
			delete(few, k)
		}
	}
}

// settings are what changes figures besides the functions, and not how many there are.
func settings(r *report.Report) map[string][]string {
	out := map[string][]string{}
	add := func(name, value string) {
		if value != "" && !slices.Contains(out[name], value) {
			out[name] = append(out[name], value)
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
