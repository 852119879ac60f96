package report

import (
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Decided judges cold starts as a report's primary claim by a clock does, at a level: whether it tells any arms apart, and whether the best
// of each kind of arms that are compared is told from every other one. An arm without samples is not beaten.
func Decided(records []*record.Record, clock Clock, level float64) (told, decided bool) {
	b := newBuilder(Options{})
	for _, r := range records {
		b.add(record.Line{Record: r}, "", map[*group]measuredAt{})
	}
	decided = len(b.order) > 1
	all := make([]*measured, len(b.order))
	for i, g := range b.order {
		all[i] = measure(g, b.label(g), 0)
		decided = decided && all[i].tests[clock].N() > 0
	}
	pairRounds(all)
	for _, parts := range kinds(all) {
		for _, part := range parts {
			c := newContest(part, clock, all, stat.Sidak(level, len(parts)))
			c.usually()
			best := c.best()
			for i, pairs := range c.pairs {
				for j := range pairs {
					told = told || pairs[j].Told
				}
				decided = decided && (i == best || pairs[best].Told)
			}
		}
	}
	return told, decided
}
