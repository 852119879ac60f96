package report

import (
	"cmp"
	"math"
	"slices"
)

// maxRounds bounds what pairing looks at: beyond it evenly spaced rounds stand for all.
const maxRounds = 5000

// place is a round of a run: the block within which arms were measured one after the other.
type place struct{ run, round int32 }

// pairRounds lays the cold samples of all arms side by side, a column a round. An arm has NaN where a round did not measure it, and
// nothing where records have no rounds.
func pairRounds(all []*measured) {
	columns := map[place]int{}
	for _, m := range all {
		for i := range m.group.cold {
			if c := &m.group.cold[i]; c.round > 0 {
				columns[place{c.run, c.round}] = 0
			}
		}
	}
	places := make([]place, 0, len(columns))
	for p := range columns {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.run, b.run), cmp.Compare(a.round, b.round)) })
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
		m.rounds = map[Clock][]float64{}
		for _, clock := range coldClocks {
			m.rounds[clock] = slices.Repeat([]float64{math.NaN()}, len(places))
		}
		for i := range m.group.cold {
			c := &m.group.cold[i]
			if k, ok := columns[place{c.run, c.round}]; ok {
				c.column = int32(k)
				for _, clock := range coldClocks {
					m.rounds[clock][k] = c.by(clock)
				}
			}
		}
	}
}

// logRatios are those of two arms by round, where both were measured.
func logRatios(a, b *measured, clock Clock) (out []float64) {
	x, y := a.rounds[clock], b.rounds[clock]
	for i := range x {
		if d := math.Log(math.Max(x[i], leastMs) / math.Max(y[i], leastMs)); !math.IsNaN(d) {
			out = append(out, d)
		}
	}
	return out
}

// leastMs stands for 0: a REPORT has 0.01 ms.
const leastMs = 1e-3

// Logs are those of times, or of counts, which may be 0.
func Logs(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, x := range values {
		out[i] = math.Log(math.Max(x, leastMs))
	}
	return out
}

// hasRounds is whether any value of an arm is known by its round.
func (m *measured) hasRounds(clock Clock) bool {
	return slices.ContainsFunc(m.rounds[clock], func(x float64) bool { return !math.IsNaN(x) })
}
