package report

import (
	"cmp"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/report/stat"
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
		for _, clock := range []Clock{ClockInit, ClockTotal, ClockWait} {
			m.rounds[clock] = make([]float64, len(places))
			for i := range m.rounds[clock] {
				m.rounds[clock][i] = math.NaN()
			}
		}
		for i := range m.group.cold {
			c := &m.group.cold[i]
			if k, ok := columns[place{c.run, c.round}]; ok {
				m.rounds[ClockInit][k], m.rounds[ClockTotal][k], m.rounds[ClockWait][k] = c.init, c.init+c.first, c.wait
			}
		}
	}
}

// logRatios are those of two arms by round, where both were measured.
func logRatios(a, b *measured, clock Clock) (out []float64) {
	x, y := a.rounds[clock], b.rounds[clock]
	for i := range x {
		if d := math.Log(math.Max(x[i], 1e-3) / math.Max(y[i], 1e-3)); !math.IsNaN(d) { // a REPORT has 0.01 ms
			out = append(out, d)
		}
	}
	return out
}

// pairUp tests all pairs of the contest within rounds; the p-values are Holm-adjusted over them.
func (c *contest) pairUp() {
	var ps []float64
	for i, a := range c.arms {
		for _, b := range c.arms[i+1:] {
			p := 1.0
			if d := logRatios(a, b, c.clock); len(d) >= stat.MinPaired {
				p = stat.SignedRank(d)
			}
			ps = append(ps, p)
		}
	}
	c.paired = square(len(c.arms), stat.Holm(ps))
}

// pair is what rounds say of two arms; nil where they share too few.
func (c *contest) pair(i, j int) *Paired {
	p, ok := stat.ComparePaired(logRatios(c.arms[i], c.arms[j], c.clock))
	if !ok {
		return nil
	}
	return &Paired{Rounds: p.N, Ratio: round(math.Exp(p.Estimate)), CI: [2]float64{round(math.Exp(p.CI.Lo)), round(math.Exp(p.CI.Hi))}, P: c.paired[i][j]}
}

// square spreads the values of all pairs, in order of newContest, over a symmetric table; the diagonal is 1.
func square(n int, values []float64) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
		out[i][i] = 1
	}
	k := 0
	for i := range n {
		for j := i + 1; j < n; j++ {
			out[i][j], out[j][i] = values[k], values[k]
			k++
		}
	}
	return out
}
