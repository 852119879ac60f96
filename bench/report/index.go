package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// league is what an index compares within: arms of one source at one memory size. An index over handlers averages within it.
type league struct {
	source record.Source
	rest   identity // with arm and handler left out
}

// index gives each arm its performance index by each clock.
func (b *builder) index(rep *Report, all []*measured) {
	var leagues []league
	members := map[league][]*measured{}
	memories := map[int]bool{}
	for _, m := range all {
		id := m.group.identity
		memories[id.memory] = true
		id.arm, id.handler = "", ""
		l := league{id.source, id}
		if members[l] == nil {
			leagues = append(leagues, l)
		}
		members[l] = append(members[l], m)
	}
	for _, l := range leagues {
		for _, clock := range []Clock{ClockInit, ClockTotal, ClockWait, ClockWarm} {
			rows := rank(members[l], clock)
			for i := range rows {
				rows[i].Source = l.source
				if l.rest.published != "" {
					rows[i].Arm += " (published: " + l.rest.published + ")"
				}
				if len(memories) > 1 {
					rows[i].Arm += fmt.Sprintf("@%d", l.rest.memory)
				}
			}
			rep.Index = append(rep.Index, rows...)
		}
	}
}

// rank is the index of the arms of one league, best first. A handler counts where two arms at least ran it.
func rank(members []*measured, clock Clock) (out []Index) {
	slowest := map[string]*measured{} // by handler
	count := map[string]int{}
	for _, m := range members {
		if m.tests[clock].N() == 0 {
			continue
		}
		h := m.group.handler
		count[h]++
		if w := slowest[h]; w == nil || m.tests[clock].Quantile(0.5) > w.tests[clock].Quantile(0.5) {
			slowest[h] = m
		}
	}
	type sums struct {
		functions int
		log       float64
		draws     []float64
	}
	arms := map[string]*sums{}
	var names []string
	for _, m := range members {
		h := m.group.handler
		if m.tests[clock].N() == 0 || count[h] < 2 {
			continue
		}
		s := arms[m.group.arm]
		if s == nil {
			s = &sums{draws: make([]float64, stat.Resamples)}
			arms[m.group.arm] = s
			names = append(names, m.group.arm)
		}
		s.functions++
		s.log += logRatio(slowest[h].tests[clock].Quantile(0.5), m.tests[clock].Quantile(0.5))
		if slowest[h] != m {
			key := drawKey{clock, 0.5}
			worst, own := slowest[h].draws[key], m.draws[key]
			for i := range s.draws {
				s.draws[i] += logRatio(worst[i], own[i])
			}
		}
	}
	for _, name := range names {
		s := arms[name]
		n := float64(s.functions)
		ci := stat.Interval{Lo: s.log, Hi: s.log}
		if drawn := slices.DeleteFunc(s.draws, math.IsNaN); len(drawn) > 0 { // rounds may be drawn in which an arm has no sample that counts
			ci = stat.Bounds(drawn)
		}
		out = append(out, Index{Arm: name, Clock: clock, Functions: s.functions, Index: round(math.Exp(s.log / n)),
			CI: [2]float64{round(math.Exp(ci.Lo / n)), round(math.Exp(ci.Hi / n))}})
	}
	slices.SortStableFunc(out, func(a, b Index) int { return cmp.Or(cmp.Compare(b.Index, a.Index), cmp.Compare(a.Arm, b.Arm)) })
	return out
}

func logRatio(a, b float64) float64 { return math.Log(math.Max(a, 1e-3) / math.Max(b, 1e-3)) }
