package report

import (
	"math"

	"github.com/twinstart/twinstart/bench/report/stat"
)

// drawKey names the resamples of one quantile by one clock.
type drawKey struct {
	clock Clock
	q     float64
}

// draw resamples a quantile of arms. It draws whole rounds if the arms have them, so that arms of one round stay
// together, else each arm's own values. For warm samples it draws environments.
func draw(arms []*measured, clock Clock, q float64, seed uint64) {
	key := drawKey{clock, q}
	var paired []*measured
	var rounds stat.Rounds
	for _, m := range arms {
		switch {
		case m.draws[key] != nil || m.tests[clock].N() == 0:
		case clock == ClockLoad && q != 0.5:
			m.draws[key] = stat.NewClusters(m.group.loaded.clusters()).Resample(q, m.seed)
		case clock == ClockWarm && q != 0.5:
			m.draws[key] = stat.NewClusters(m.environments).Resample(q, m.seed)
		case clock != ClockWarm && m.hasRounds(clock):
			paired, rounds = append(paired, m), append(rounds, m.rounds[clock])
		default:
			s := m.tests[clock]
			m.draws[key] = stat.Rounds{s.InOrder()}.Quantile(q, block(s), m.seed)[0]
		}
	}
	if len(paired) == 0 {
		return
	}
	for i, d := range rounds.Quantile(q, roundBlock(rounds), seed) {
		paired[i].draws[key] = d
	}
}

// block returns how many neighbouring values of one arm are drawn at once.
func block(s *stat.Sample) int {
	if a, found := s.Autocorrelation(); found {
		return stat.Block(s.N(), a.R)
	}
	return 1
}

// roundBlock returns how many neighbouring rounds are drawn at once: more than one if arms depend on their own past,
// after a round's effect on all arms is taken off.
func roundBlock(rounds stat.Rounds) int {
	longest := 1
	for _, rest := range residuals(rounds) {
		longest = max(longest, block(stat.NewSample(rest)))
	}
	return longest
}

// residuals returns the logs of each arm's values, less the mean of the other arms' logs in the same round. They spread
// as values do when two arms are compared within rounds. For one arm it returns the logs.
func residuals(rounds stat.Rounds) [][]float64 {
	n := len(rounds[0])
	sums, counts, out := make([]float64, n), make([]float64, n), make([][]float64, len(rounds))
	for i := range rounds {
		out[i] = Logs(rounds[i])
		for k, l := range out[i] {
			if !math.IsNaN(l) {
				sums[k], counts[k] = sums[k]+l, counts[k]+1
			}
		}
	}
	for i, own := range out {
		out[i] = own[:0]
		for k, l := range own {
			switch others := counts[k] - 1; {
			case math.IsNaN(l):
			case len(rounds) == 1:
				out[i] = append(out[i], l)
			case others > 0: // the factor takes off the spread of the others' mean
				out[i] = append(out[i], (l-(sums[k]-l)/others)*math.Sqrt(others/(others+1)))
			}
		}
	}
	return out
}
