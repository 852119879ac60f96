package stat

// Drift is a change between the first and the second half of a sample.
type Drift struct {
	Ratio float64 // median of the second half / of the first
	P     float64
}

// What counts as drift. Many arms are looked at, so the level is strict; below 5 % nobody would act on it.
const (
	driftAlpha = 0.001
	driftRatio = 0.05
	minDrift   = 20 // values
)

// Drift tells whether the second half of the sample, in order of measuring, differs from the first.
func (s *Sample) Drift() (d Drift, found bool) {
	if s.N() < minDrift {
		return Drift{}, false
	}
	first, second := NewSample(s.inOrder[:s.N()/2]), NewSample(s.inOrder[s.N()/2:])
	d = Drift{Ratio: second.Quantile(0.5) / first.Quantile(0.5), P: RankSum(first.Values(), second.Values())}
	return d, d.P < driftAlpha && (d.Ratio < 1-driftRatio || d.Ratio > 1+driftRatio)
}
