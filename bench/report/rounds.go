package report

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// maxRounds bounds the number of rounds that are paired. If there are more, evenly spaced rounds are used.
const maxRounds = 5000

// place is a round of a run: the block in which each arm was measured once.
type place struct{ run, round int32 }

// pairRounds aligns the samples of all arms by round. An arm has NaN for a round that did not measure it, and no values
// if its records have no rounds. In a load a round is a repeat. Its requests depend on each other, so their median is
// one value.
func pairRounds(all []*measured) {
	columns := map[place]int{}
	for _, m := range all {
		m.each(func(at place, _ *coldSample, _ float64) { columns[at] = 0 })
	}
	places := slices.SortedFunc(maps.Keys(columns), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.run, b.run), cmp.Compare(a.round, b.round))
	})
	if n := len(places); n > maxRounds {
		for i := range maxRounds {
			places[i] = places[i*n/maxRounds]
		}
		places = places[:maxRounds]
		clear(columns)
	}
	for i, p := range places {
		columns[p] = i
	}
	for _, m := range all {
		values := map[Clock][][]float64{}
		for _, clock := range append(startClocks, ClockLoad) {
			values[clock] = make([][]float64, len(places))
		}
		m.each(func(at place, c *coldSample, latency float64) {
			k, ok := columns[at]
			switch {
			case !ok:
			case c == nil:
				values[ClockLoad][k] = append(values[ClockLoad][k], latency)
			default:
				c.column = int32(k)
				for _, clock := range startClocks {
					values[clock][k] = append(values[clock][k], c.by(clock))
				}
			}
		})
		m.rounds = map[Clock][]float64{}
		for clock, of := range values {
			m.rounds[clock] = list.Map(of, middle)
			if m.group.loaded != nil {
				m.tests[clock] = stat.NewSample(slices.DeleteFunc(slices.Clone(m.rounds[clock]), math.IsNaN))
			}
		}
	}
}

// each calls take with each cold start whose round is known, and with each latency under load.
func (m *measured) each(take func(at place, c *coldSample, latency float64)) {
	for i := range m.group.cold {
		if c := &m.group.cold[i]; c.round > 0 {
			take(place{c.run, c.round}, c, 0)
		}
	}
	if m.group.loaded != nil {
		for _, s := range m.group.loaded.answered {
			take(s.place, nil, s.latency)
		}
	}
}

// middle returns the median, or NaN if there are no values.
func middle(xs []float64) float64 { return stat.NewSample(xs).Quantile(0.5) }

// logRatios returns the log ratios of two arms, for the rounds that measured both.
func logRatios(a, b *measured, clock Clock) (out []float64) {
	x, y := a.rounds[clock], b.rounds[clock]
	for i := range x {
		if d := logRatio(x[i], y[i]); !math.IsNaN(d) {
			out = append(out, d)
		}
	}
	return out
}

// leastMs replaces 0 in logs. The smallest time of a REPORT is 0.01 ms.
const leastMs = 1e-3

// Logs returns the logs of times or counts, which may be 0.
func Logs(values []float64) []float64 {
	return list.Map(values, func(x float64) float64 { return math.Log(math.Max(x, leastMs)) })
}

// hasRounds reports whether the round of any value is known.
func (m *measured) hasRounds(clock Clock) bool {
	return slices.ContainsFunc(m.rounds[clock], func(x float64) bool { return !math.IsNaN(x) })
}
