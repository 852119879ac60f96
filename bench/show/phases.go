package show

import (
	"fmt"
	"slices"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// phasesText explains phases wherever they are shown.
const phasesText = "Medians of each phase, named after the moment that ends it, by the bootstrap's own clock; medians do not add up exactly. outside: what of Init " +
	"Duration the bootstrap does not see, which is the kernel's exec, the pages it waits for, and the way of GET /next. An event begins with its first byte."

// phaseTables are a table for each stage that bootstraps timed.
func phaseTables(r *report.Report) (out []table.Table) {
	for _, stage := range report.Stages() {
		names := phaseNames(r, stage)
		if len(names) == 0 {
			continue
		}
		t := table.Table{ID: fmt.Sprintf("phases-%d", len(out)), Title: fmt.Sprintf("%sphases of %s, ms", banner(r), stageName(stage)),
			Heads: table.Heads(1, slices.Concat([]string{"arm", "n"}, names, []string{"sum"})...)}
		for i := range r.Arms {
			a, sum, n := &r.Arms[i], 0.0, 0
			row := []string{a.Arm, ""}
			for _, name := range names {
				cell := none
				for _, p := range a.Phases {
					if p.Stage == stage && p.Name == name {
						n, sum, cell = max(n, p.Count), sum+p.P50, fmt.Sprintf("%.3f", p.P50)
					}
				}
				row = append(row, cell)
			}
			if row[1] = count(n); n > 0 {
				t.Add(append(row, fmt.Sprintf("%.3f", sum))...)
			}
		}
		out = append(out, t)
	}
	if len(out) > 0 {
		out[len(out)-1].Note = phasesText
	}
	return out
}

func stageName(s report.Stage) string {
	if s == report.StageInit {
		return string(s)
	}
	return "the " + string(s)
}

// phaseNames are the phases of a stage over all arms: Outside first, then in the order of the arm that has most of them.
func phaseNames(r *report.Report, stage report.Stage) (out []string) {
	for i := range r.Arms {
		var own []string
		for _, p := range r.Arms[i].Phases {
			if p.Stage == stage {
				own = append(own, p.Name)
			}
		}
		if len(own) > len(out) {
			own, out = out, own
		}
		for _, name := range own {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
