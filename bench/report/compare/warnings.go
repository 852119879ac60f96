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
	for _, setting := range []struct {
		name string
		of   func(*report.Report) []string
	}{{"machines", machines}, {"twinstart versions", versions}, {"regions", regions}, {"options", options}} {
		old, current := setting.of(before), setting.of(after)
		if len(old) > 0 && len(current) > 0 && !slices.Equal(old, current) {
			c.Warnings = append(c.Warnings, fmt.Sprintf("measured with different %s: %v and %v", setting.name, old, current))
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

func set(out []string) []string {
	slices.Sort(out)
	return slices.Compact(out)
}

func machines(r *report.Report) (out []string) {
	for _, run := range r.Runs {
		if m := run.Machine; m != nil {
			out = append(out, fmt.Sprintf("%s, %d CPUs, %s %s", m.CPU, m.CPUs, m.Architecture, m.Kernel))
		}
	}
	return set(out)
}

func versions(r *report.Report) (out []string) {
	for _, run := range r.Runs {
		if v := run.Versions["twinstart"]; v != "" {
			out = append(out, v)
		}
	}
	return set(out)
}

func regions(r *report.Report) (out []string) {
	for _, a := range r.Arms {
		if a.Region != "" {
			out = append(out, a.Region)
		}
	}
	return set(out)
}

// options are settings that change figures, not how many there are.
func options(r *report.Report) (out []string) {
	for _, run := range r.Runs {
		for _, name := range []string{"readAheadKiB", "initCPU", "event"} {
			if v, ok := run.Options[name]; ok {
				out = append(out, fmt.Sprintf("%s=%v", name, v))
			}
		}
	}
	return set(out)
}
