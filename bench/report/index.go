package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Index is the performance index of language comparisons: the slowest arm has 1, an arm twice as fast has 2. Over
// several handlers it is the geometric mean, because the arithmetic mean of ratios depends on the direction of the
// ratio.
type Index struct {
	Arm       string        `json:"arm"` // an arm's id; with @memory if there are several
	Source    record.Source `json:"source"`
	Clock     Clock         `json:"clock"`
	Function  string        `json:"function,omitempty"` // if the arm has several; "" is the mean over them
	Functions int           `json:"functions"`          // handlers averaged
	Index     float64       `json:"performance_index"`
	CI        [2]float64    `json:"performance_index_ci95"`
}

// index adds the performance index of each arm by each clock, among the arms of one source and memory size. It
// averages over handlers.
func (b *builder) index(rep *Report, all []*measured) {
	memories := slices.ContainsFunc(all, func(m *measured) bool { return m.group.memory != all[0].group.memory })
	for _, members := range groupBy(all, func(g *group) identity {
		l := g.identity
		l.arm, l.handler, l.standIn = "", "", "" // one for each managed runtime
		return l
	}) {
		l := members[0].group
		for _, clock := range append([]Clock{ClockLoad}, allClocks...) {
			rows := rank(members, clock)
			if slices.ContainsFunc(rows, func(i Index) bool { return i.Functions > 1 }) { // and by function
				for _, of := range groupBy(members, func(g *group) identity { return identity{handler: g.handler} }) {
					for _, row := range rank(of, clock) {
						row.Function = of[0].group.handler
						rows = append(rows, row)
					}
				}
			}
			for _, row := range rows {
				row.Source = l.source
				if l.published != "" {
					row.Arm += " (published: " + l.published + ")"
				}
				if memories {
					row.Arm += fmt.Sprintf("@%d", l.memory)
				}
				rep.Index = append(rep.Index, row)
			}
		}
	}
}

// rank returns the index of the arms of one league, best first. A handler counts if at least two arms ran it.
func rank(members []*measured, clock Clock) (out []Index) {
	members = slices.DeleteFunc(slices.Clone(members), func(m *measured) bool { return m.tests[clock].N() == 0 })
	center := func(m *measured) float64 { return m.tests[clock].Quantile(0.5) }
	ran := map[string][]*measured{} // by handler
	for _, m := range members {
		ran[m.group.handler] = append(ran[m.group.handler], m)
	}
	type run struct{ m, slowest *measured }
	arms := map[string][]run{} // a run for each handler
	for _, m := range members {
		if len(ran[m.group.handler]) < 2 {
			continue
		}
		slowest := slices.MaxFunc(ran[m.group.handler], func(a, b *measured) int { return cmp.Compare(center(a), center(b)) })
		name := m.group.arm
		if name == arm.ID(m.group.bootstrap+"-"+m.group.handler, m.group.kind) { // a language's function
			name = arm.ID(m.group.bootstrap, m.group.kind)
		}
		arms[name] = append(arms[name], run{m, slowest})
	}
	key := drawKey{clock, 0.5}
	for name, runs := range arms {
		n, sum, draws := float64(len(runs)), 0.0, make([]float64, stat.Resamples)
		for _, r := range runs {
			sum += logRatio(center(r.slowest), center(r.m))
			for i := range draws {
				if r.slowest != r.m {
					draws[i] += logRatio(r.slowest.draws[key][i], r.m.draws[key][i])
				}
			}
		}
		ci := stat.Interval{Lo: sum, Hi: sum}
		if drawn := slices.DeleteFunc(draws, math.IsNaN); len(drawn) > 0 { // a resample may hold no sample of an arm
			ci = stat.Bounds(drawn)
		}
		out = append(out, Index{Arm: name, Clock: clock, Functions: len(runs), Index: Round(math.Exp(sum / n)),
			CI: [2]float64{Round(math.Exp(ci.Lo / n)), Round(math.Exp(ci.Hi / n))}})
	}
	slices.SortStableFunc(out, func(a, b Index) int {
		return cmp.Or(cmp.Compare(b.Index, a.Index), cmp.Compare(a.Arm, b.Arm))
	})
	return out
}

func logRatio(a, b float64) float64 { return math.Log(math.Max(a, leastMs) / math.Max(b, leastMs)) }
