package report

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/twinstart/twinstart/bench/report/stat"
)

// Outlier is a value far from the rest of its arm: beyond Tukey's outer fences on the log scale. It stays in every
// figure.
type Outlier struct {
	Clock Clock   `json:"clock"`
	Ms    float64 `json:"ms"`
}

// ColdSample is one cold start. Times are in ms; nil means that the record did not say.
type ColdSample struct {
	Round int      `json:"round,omitempty"`
	Init  float64  `json:"init_ms"`
	First float64  `json:"first_ms"` // Duration of the first invocation; cold total is Init + First
	Wait  *float64 `json:"wait_ms,omitempty"`
}

// ColdSamples returns at most limit cold starts of the arm (0 means all), in the order of measuring. If it has more,
// they are chosen at random, by the report's seed. A picture of them must say so. It must take extremes and percentiles
// from the arm or from Curve, because these use all samples.
func (a *Arm) ColdSamples(limit int) []ColdSample {
	out := []ColdSample{}
	if a.of == nil {
		return out
	}
	for _, k := range choose(len(a.of.group.cold), limit, a.of.seed, 1) {
		c := a.of.group.cold[k]
		out = append(out, ColdSample{Round: int(c.round), Init: c.init, First: c.first, Wait: number(c.wait)})
	}
	return out
}

// Sample returns all values of the arm by a clock. The caller must not change them.
func (a *Arm) Sample(clock Clock) *stat.Sample {
	if a.of == nil || a.of.samples[clock] == nil {
		return stat.NewSample(nil)
	}
	return a.of.samples[clock]
}

// Residuals returns an arm's residuals by a clock, less their mean: see residuals. The other arms are all arms of its
// source. Without rounds it returns the logs of the arm's values, less their mean.
func (r *Report) Residuals(a *Arm, clock Clock) (out []float64) {
	rounds := stat.Rounds{a.of.rounds[clock]}
	for _, other := range r.Arms {
		if other != a && other.Source == a.Source {
			rounds = append(rounds, other.of.rounds[clock])
		}
	}
	if out = residuals(rounds)[0]; len(out) == 0 {
		out = Logs(a.Sample(clock).InOrder())
	}
	floats.AddConst(-stat.NewSample(out).Mean(), out)
	return out
}

// Point is a point of an empirical distribution: the share of values that are at most X.
type Point struct {
	X float64 `json:"x"`
	P float64 `json:"p"`
}

// Curve returns the empirical distribution of the arm by a clock, in at most limit points. If there are more values,
// the points are evenly spaced in the body, and the highest limit/4 values are all kept, so that the tail and the
// maximum are exact.
func (a *Arm) Curve(clock Clock, limit int) []Point {
	values := a.Sample(clock).Values()
	n := len(values)
	if n == 0 {
		return nil
	}
	point := func(i int) Point { return Point{X: values[i], P: float64(i+1) / float64(n)} }
	var out []Point
	tail := max(1, limit/4)
	body := limit - tail
	if limit <= 0 || n <= limit || body < 2 {
		tail, body = n, 0
	}
	for i := range body {
		out = append(out, point(i*(n-tail-1)/(body-1)))
	}
	for i := n - tail; i < n; i++ {
		out = append(out, point(i))
	}
	return out
}

// choose draws at most limit of n indices at random and returns them in ascending order.
func choose(n, limit int, seed, stream uint64) []int {
	out := rand.New(rand.NewPCG(seed, stream)).Perm(n)
	if limit > 0 && n > limit {
		out = out[:limit]
	}
	slices.Sort(out)
	return out
}

// outliers counts the arm's values that lie far from the rest, by any clock, and returns the most distant. They stay
// in every figure.
func (m *measured) outliers() (most *Outlier, count int) {
	farthest := 0.0
	for _, clock := range allClocks {
		s := m.samples[clock]
		for _, i := range s.Outliers() {
			count++
			x := s.InOrder()[i]
			if away := math.Abs(logRatio(x, s.Quantile(0.5))); away > farthest {
				most, farthest = &Outlier{clock, Round(x)}, away
			}
		}
	}
	return most, count
}
