package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// resampling is a quantile of arms, best first, with the ratios of its resamples.
type resampling struct {
	at    At
	arms  []*measured
	table *stat.Simultaneous
}

// resampled compares a quantile of the arms.
func (c *contest) resampled(out *Claim, q float64, least int) []Comparison {
	few := func(m *measured) bool { return m.replicates(c.clock) < least }
	ranked := slices.DeleteFunc(slices.Clone(c.arms), few)
	if len(ranked) < 2 {
		out.Text = fmt.Sprintf("not tested: fewer than two arms have %d %ss.", least, c.replicate())
		return nil
	}
	r := &resampling{out.At, ranked, c.quantile(q, ranked)}
	if q != 0.5 {
		c.tail = r
	}
	var pairs []pairing
	for i := 1; i < len(ranked); i++ {
		pairs = append(pairs, c.resampledPair(r, i, 0))
	}
	value := medianText(ranked[0].tests[c.clock])
	if q != 0.5 {
		ci, ok := ranked[0].samples[c.clock].Interval(q)
		value = withInterval(ranked[0].at(c.clock, q), ci, ok && c.clock != ClockWarm)
	}
	all := c.say(out, ranked, pairs, value, r.table.Critical())
	if aside := slices.DeleteFunc(slices.Clone(c.arms), func(m *measured) bool { return !few(m) }); len(aside) > 0 {
		names := and(list.Map(aside, func(m *measured) string { return m.label }))
		out.Text = strings.TrimSuffix(out.Text, ".") + "; too few samples of " + names + "."
	}
	return all
}

// quantile resamples a quantile of arms, which it ranks.
func (c *contest) quantile(q float64, ranked []*measured) *stat.Simultaneous {
	draw(ranked, c.clock, q, c.arms[0].seed)
	value := func(m *measured) float64 { return m.at(c.clock, q) }
	slices.SortStableFunc(ranked, func(a, b *measured) int { return cmp.Compare(value(a), value(b)) })
	estimates, draws := make([]float64, len(ranked)), make(stat.Draws, len(ranked))
	for i, m := range ranked {
		estimates[i], draws[i] = value(m), m.draws[drawKey{c.clock, q}]
	}
	return stat.Ratios(estimates, draws, c.alpha)
}

// resampledPair compares arms i and j by resampling.
func (c *contest) resampledPair(r *resampling, i, j int) pairing {
	a, b := r.arms[i], r.arms[j]
	if why := c.otherRounds(a, b); why != "" {
		return untested(why)
	}
	shift, ok := r.table.Pair(i, j)
	if !ok {
		return untested(noSpread)
	}
	shift.N = min(a.replicates(c.clock), b.replicates(c.clock))
	shift.Effective = float64(shift.N)
	return pairing{Shift: shift, test: resampled}
}
