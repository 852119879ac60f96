package show

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// barWidth is how long the longest bar of text is, in characters.
const barWidth = 30

// phasesText explains phases wherever they are shown.
const phasesText = "Medians of each phase, named after the moment that ends it, by the bootstrap's own clock; medians do not add up exactly. outside: what of Init " +
	"Duration the bootstrap does not see, which is the kernel's exec, the pages it waits for, and the way of GET /next. An event begins with its first byte."

// phaseTables are a table for each stage that bootstraps timed, with a bar of letters for each arm.
func phaseTables(r *report.Report) (out []table.Table) {
	for _, stage := range report.Stages() {
		names := phaseNames(r, stage)
		if len(names) == 0 {
			continue
		}
		g := table.Table{Title: fmt.Sprintf("%sphases of %s, ms", banner(r), stageName(stage)), Heads: table.Heads(1, "arm", "n")}
		for i, name := range names {
			g.Heads = append(g.Heads, table.Head{Text: fmt.Sprintf("%c: %s", letter(i), name)})
		}
		g.Heads = append(g.Heads, table.Head{Text: "sum"}, table.Head{Text: stackOf(names), Left: true})
		longest := 0.0
		for i := range r.Arms {
			longest = max(longest, phaseSum(&r.Arms[i], stage))
		}
		for i := range r.Arms {
			a := &r.Arms[i]
			sum := phaseSum(a, stage)
			if sum == 0 {
				continue
			}
			row, bar, end, n := []string{a.Arm, ""}, "", 0.0, 0
			for k, name := range names {
				p := phaseOf(a, stage, name)
				if p == nil {
					row = append(row, none)
					continue
				}
				n = max(n, p.Count)
				row = append(row, fmt.Sprintf("%.3f", p.P50))
				end += p.P50
				bar += strings.Repeat(string(letter(k)), max(0, int(math.Round(barWidth*end/longest))-len(bar)))
			}
			row[1] = count(n)
			g.Add(append(row, fmt.Sprintf("%.3f", sum), bar)...)
		}
		out = append(out, g)
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

// letter names a phase in a bar.
func letter(i int) rune { return rune('a' + i%26) }

func stackOf(names []string) string {
	var b strings.Builder
	for i := range names {
		b.WriteRune(letter(i))
	}
	return b.String()
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

func phaseOf(a *report.Arm, stage report.Stage, name string) *report.Phase {
	for i := range a.Phases {
		if p := &a.Phases[i]; p.Stage == stage && p.Name == name {
			return p
		}
	}
	return nil
}

func phaseSum(a *report.Arm, stage report.Stage) (sum float64) {
	for _, p := range a.Phases {
		if p.Stage == stage {
			sum += p.P50
		}
	}
	return sum
}
