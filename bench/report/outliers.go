package report

import (
	"cmp"
	"math"
	"slices"
)

// shownOutliers is how many of a clock are named, the most distant first.
const shownOutliers = 5

// outliers are the arm's values far from the rest by a clock, the most distant first. They are in every figure: shown, not dropped.
func (m *measured) outliers(clock Clock) (out []Outlier) {
	s := m.samples[clock]
	places := s.Outliers()
	if len(places) == 0 {
		return nil
	}
	rounds := m.roundsOf(clock)
	for _, i := range places {
		o := Outlier{Clock: clock, Ms: round(s.InOrder()[i])}
		if i < len(rounds) {
			o.Round = rounds[i]
		}
		out = append(out, o)
	}
	center := math.Log(math.Max(s.Quantile(0.5), 1e-3))
	distance := func(o Outlier) float64 { return math.Abs(math.Log(math.Max(o.Ms, 1e-3)) - center) }
	slices.SortStableFunc(out, func(a, b Outlier) int { return cmp.Compare(distance(b), distance(a)) })
	return out
}

// roundsOf are the rounds of the clock's values; nil for warm ones.
func (m *measured) roundsOf(clock Clock) (out []int) {
	if clock == ClockWarm {
		return nil
	}
	for i := range m.group.cold {
		if c := &m.group.cold[i]; !math.IsNaN(c.by(clock)) {
			out = append(out, int(c.round))
		}
	}
	return out
}
