package stat

import (
	"math"
	"slices"

	"github.com/twinstart/twinstart/arm/list"
)

// Simultaneous holds the intervals of all ratios between arms, from their draws. Their width comes from the largest
// deviation over all ratios, so the chance that any of them misses its ratio is alpha.
type Simultaneous struct {
	estimate []float64 // logs
	errors   [][]float64
	largest  []float64 // of each resample, ascending
	alpha    float64
}

// Ratios takes estimates, all above 0, and their draws.
func Ratios(estimates []float64, draws Draws, alpha float64) *Simultaneous {
	s := &Simultaneous{alpha: alpha, estimate: list.Map(estimates, logOf)}
	logs := make(Draws, len(draws))
	for i, d := range draws {
		logs[i] = list.Map(d, logOf)
		s.errors = append(s.errors, make([]float64, len(draws)))
	}
	if len(draws) == 0 {
		return s
	}
	largest := make([]float64, len(draws[0]))
	for i := range draws {
		for j := i + 1; j < len(draws); j++ {
			sum, squares, n := 0.0, 0.0, 0.0
			expected := s.estimate[i] - s.estimate[j]
			for k, x := range logs[i] {
				if d := x - logs[j][k] - expected; !math.IsNaN(d) {
					sum, squares, n = sum+d, squares+d*d, n+1
				}
			}
			e := math.Sqrt(math.Max(0, squares/n-sum/n*sum/n))
			s.errors[i][j], s.errors[j][i] = e, e
			if !(e > 1e-12) {
				continue
			}
			for k, x := range logs[i] {
				if d := math.Abs(x-logs[j][k]-expected) / e; d > largest[k] {
					largest[k] = d
				}
			}
		}
	}
	s.largest = slices.Sorted(slices.Values(largest))
	return s
}

// logOf returns the log of a time. It has a lower bound, because a time of 0 has no log.
func logOf(x float64) float64 { return math.Log(math.Max(x, 1e-6)) }

// Critical returns how many standard errors an interval extends to each side.
func (s *Simultaneous) Critical() float64 {
	n := len(s.largest)
	return s.largest[min(n-1, int(math.Ceil((1-s.alpha)*float64(n+1)))-1)]
}

// Pair returns the log ratio of two arms. ok is false if the draws do not vary, because chance cannot be measured then.
func (s *Simultaneous) Pair(i, j int) (out Shift, ok bool) {
	e := s.errors[i][j]
	out = Shift{Estimate: s.estimate[i] - s.estimate[j], P: 1}
	if !(e > 1e-12) || math.IsNaN(out.Estimate) {
		return out, false
	}
	n := len(s.largest)
	half := e * s.Critical()
	out.CI = Interval{out.Estimate - half, out.Estimate + half}
	at, _ := slices.BinarySearch(s.largest, math.Abs(out.Estimate)/e)
	out.P = float64(n-at+1) / float64(n+1)
	out.Told = out.P < s.alpha && (out.CI.Lo > 0 || out.CI.Hi < 0)
	return out, true
}
