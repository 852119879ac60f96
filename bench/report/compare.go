package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// contest is the arms of one source against each other by one clock.
type contest struct {
	source record.Source
	clock  Clock
	arms   []*measured // with samples, best median first
	p      [][]float64 // Mann-Whitney, Holm-adjusted over all pairs
	paired [][]float64 // the signed-rank test within rounds, likewise
	alpha  float64
}

// newContest ranks and tests the arms that have samples by the clock.
func newContest(kind sourceKind, clock Clock, all []*measured, alpha float64) *contest {
	c := &contest{source: kind.source, clock: clock, alpha: alpha}
	for _, m := range all {
		if m.group.source == kind.source && m.group.published == kind.published && m.tests[clock].N() > 0 {
			c.arms = append(c.arms, m)
		}
	}
	slices.SortStableFunc(c.arms, func(a, b *measured) int {
		return cmp.Compare(a.tests[clock].Quantile(0.5), b.tests[clock].Quantile(0.5))
	})
	var ps []float64
	for i, a := range c.arms {
		for _, b := range c.arms[i+1:] {
			ps = append(ps, stat.Compare(a.tests[clock], b.tests[clock]).P)
		}
	}
	c.p = square(len(c.arms), stat.Holm(ps))
	if clock != ClockWarm {
		c.pairUp()
	}
	return c
}

// medians compares two arms at the median.
func (c *contest) medians(i, j int) Comparison {
	a, b := c.arms[i], c.arms[j]
	r := stat.CompareQuantiles(a.tests[c.clock], b.tests[c.clock], 0.5, a.resample(c.clock, 0.5), b.resample(c.clock, 0.5))
	out := c.comparison(a, b, "median", r, c.p[i][j])
	if c.paired != nil {
		out.Paired = c.pair(i, j)
	}
	return out
}

func (c *contest) comparison(a, b *measured, at string, r stat.Ratio, p float64) Comparison {
	return Comparison{
		Clock: c.clock, At: at, Arm: a.label, Than: b.label, Ratio: round(r.Ratio), CI: [2]float64{round(r.CI.Lo), round(r.CI.Hi)},
		Delta: round(r.Delta), DCI: [2]float64{round(r.DCI.Lo), round(r.DCI.Hi)}, P: p, Told: p < c.alpha,
	}
}

// tail is the contest at the farthest percentile that the arms can speak about. Arms with too few samples are left
// aside; q is 0 where fewer than two remain. ranked[0] is the best; results[i] compares ranked[i+1] with it. The family
// of tests is the best against each other arm: resamples cannot resolve p-values for all pairs.
func (c *contest) tail() (q float64, ranked []*measured, results []Comparison, aside []string) {
	least := 0
	for _, m := range c.arms {
		if n := m.replicates(c.clock); n < stat.MinTail {
			aside = append(aside, m.label)
		} else {
			ranked = append(ranked, m)
			if least == 0 || n < least {
				least = n
			}
		}
	}
	if len(ranked) < 2 {
		return 0, nil, nil, aside
	}
	q, _ = stat.Tail(least)
	slices.SortStableFunc(ranked, func(a, b *measured) int {
		return cmp.Compare(a.samples[c.clock].Quantile(q), b.samples[c.clock].Quantile(q))
	})
	best := ranked[0]
	var ps []float64
	for _, m := range ranked[1:] {
		r := stat.CompareQuantiles(m.samples[c.clock], best.samples[c.clock], q, m.resample(c.clock, q), best.resample(c.clock, q))
		results = append(results, c.comparison(m, best, percentile(q), r, 1))
		ps = append(ps, r.P)
	}
	for i, p := range stat.Holm(ps) {
		results[i].P, results[i].Told = p, p < c.alpha
	}
	return q, ranked, results, aside
}

func percentile(q float64) string { return fmt.Sprintf("p%.0f", 100*q) }

// replicates is how many independent values an arm has: environments for warm samples, cold starts else.
func (m *measured) replicates(clock Clock) int { return m.tests[clock].N() }

// resample draws a quantile's resamples once for all comparisons. The median is that of what is tested.
func (m *measured) resample(clock Clock, q float64) []float64 {
	key := drawKey{clock, q}
	if d, ok := m.draws[key]; ok {
		return d
	}
	s := m.samples[clock]
	if q == 0.5 {
		s = m.tests[clock]
	}
	var d []float64
	if clock == ClockWarm && q != 0.5 {
		d = stat.NewClusters(m.environments).Resample(q, m.seed)
	} else {
		d = s.Resample(q, s.N(), m.seed)
	}
	m.draws[key] = d
	return d
}
