package stat

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Resamples is the number of bootstrap resamples of an interval.
const Resamples = 1999

// Rounds holds values of several arms by round: Rounds[arm][round]. NaN means that the round did not measure the arm.
type Rounds [][]float64

// Draws holds the results of resamples: Draws[arm][resample]. NaN means that the resample has no value of the arm.
type Draws [][]float64

// Quantile resamples whole rounds, so that a round's effect stays the same for all arms, and takes each arm's
// quantile. Rounds are drawn in blocks of neighbours: more than one if neighbours depend on each other (Block). The
// same seed gives the same draws.
func (r Rounds) Quantile(q float64, block int, seed uint64) Draws {
	order := make([][]int32, len(r))
	for i, values := range r {
		for k, x := range values {
			if !math.IsNaN(x) {
				order[i] = append(order[i], int32(k))
			}
		}
		slices.SortFunc(order[i], func(a, b int32) int { return cmp.Compare(values[a], values[b]) })
	}
	return r.resample(block, seed, func(i int, times []int32) float64 { return weighted(r[i], order[i], times, q) })
}

// Mean resamples whole rounds and takes each arm's mean.
func (r Rounds) Mean(block int, seed uint64) Draws {
	return r.resample(block, seed, func(i int, times []int32) float64 {
		sum, n := 0.0, 0.0
		for j, t := range times {
			if x := r[i][j]; t > 0 && !math.IsNaN(x) {
				sum += float64(t) * x
				n += float64(t)
			}
		}
		return sum / n
	})
}

// resample computes f for each arm from how often each round was drawn.
func (r Rounds) resample(block int, seed uint64, f func(arm int, times []int32) float64) Draws {
	out := make(Draws, len(r))
	for i := range out {
		out[i] = make([]float64, Resamples)
	}
	if len(r) == 0 || len(r[0]) == 0 {
		return out
	}
	n := len(r[0])
	rng := rand.New(rand.NewPCG(seed, 16))
	times := make([]int32, n)
	for k := range Resamples {
		clear(times)
		for drawn := 0; drawn < n; {
			for at, end := rng.IntN(n), min(drawn+block, n); drawn < end; drawn++ { // rounds form a circle, so that each is equally likely
				times[at]++
				if at++; at == n {
					at = 0
				}
			}
		}
		for i := range r {
			out[i][k] = f(i, times)
		}
	}
	return out
}

// weighted returns the quantile q, by R8, of values that each count so many times. order holds their indices in
// ascending order of values.
func weighted(values []float64, order, times []int32, q float64) float64 {
	n := 0
	for _, k := range order {
		n += int(times[k])
	}
	if n == 0 {
		return math.NaN()
	}
	at := min(max(1.0/3+q*(float64(n)+1.0/3), 1), float64(n))
	whole := int(at)
	passed, low := 0, math.NaN()
	for _, k := range order {
		if times[k] == 0 {
			continue
		}
		passed += int(times[k])
		if math.IsNaN(low) && passed >= whole {
			low = values[k]
		}
		if passed > whole || passed == n { // the next value, or no next one
			return low + (at-float64(whole))*(values[k]-low)
		}
	}
	return low
}

// Block returns how many neighbouring rounds to draw at once if their correlation is r: Politis and White's (2004)
// choice for an AR(1).
func Block(rounds int, r float64) int {
	if !(r > 0) {
		return 1
	}
	r = math.Min(r, 0.95)
	b := math.Cbrt(6*r*r/((1-r*r)*(1-r*r))) * math.Cbrt(float64(rounds))
	return max(1, min(int(math.Ceil(b)), rounds/4))
}

// Simultaneous holds the intervals of all ratios between arms, from their draws. They are widened by the largest
// deviation over all ratios, so that the chance that any of them misses is alpha.
type Simultaneous struct {
	estimate []float64 // logs
	draws    Draws     // logs
	errors   [][]float64
	largest  []float64 // of each resample, ascending
	alpha    float64
}

// Ratios takes estimates, all above 0, and their draws.
func Ratios(estimates []float64, draws Draws, alpha float64) *Simultaneous {
	s := &Simultaneous{alpha: alpha, draws: make(Draws, len(draws)), estimate: make([]float64, len(estimates)), errors: make([][]float64, len(draws))}
	for i := range draws {
		s.estimate[i], s.draws[i], s.errors[i] = logOf(estimates[i]), make([]float64, len(draws[i])), make([]float64, len(draws))
		for k, x := range draws[i] {
			s.draws[i][k] = logOf(x)
		}
	}
	if len(draws) == 0 {
		return s
	}
	largest := make([]float64, len(draws[0]))
	for i := range draws {
		for j := i + 1; j < len(draws); j++ {
			sum, squares, n := 0.0, 0.0, 0.0
			expected := s.estimate[i] - s.estimate[j]
			for k, x := range s.draws[i] {
				if d := x - s.draws[j][k] - expected; !math.IsNaN(d) {
					sum, squares, n = sum+d, squares+d*d, n+1
				}
			}
			e := math.Sqrt(math.Max(0, squares/n-sum/n*sum/n))
			s.errors[i][j], s.errors[j][i] = e, e
			if !(e > 1e-12) {
				continue
			}
			for k, x := range s.draws[i] {
				if d := math.Abs(x-s.draws[j][k]-expected) / e; d > largest[k] {
					largest[k] = d
				}
			}
		}
	}
	slices.Sort(largest)
	s.largest = largest
	return s
}

// logOf has a lower bound, because the smallest time of a REPORT is 0.01 ms.
func logOf(x float64) float64 { return math.Log(math.Max(x, 1e-6)) }

// Critical returns how many standard errors an interval extends.
func (s *Simultaneous) Critical() float64 {
	n := len(s.largest)
	return s.largest[min(n-1, int(math.Ceil((1-s.alpha)*float64(n+1)))-1)]
}

// Pair returns the log ratio of two arms. ok is false if the draws do not vary, so that there is no measure of
// chance.
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

// MinClusters is how many environments an interval of warm samples needs. With fewer, a bootstrap interval is too
// narrow.
const MinClusters = 10

// clusterResamples is the number of resamples for intervals in tables.
const clusterResamples = 999

// Clusters holds samples that are correlated within a cluster, such as warm invocations of one environment. The
// clusters are the independent replicates.
type Clusters struct {
	sizes  []int
	values []clustered // all, descending
}

type clustered struct {
	x  float64
	of int // its cluster
}

// NewClusters takes the values of each cluster.
func NewClusters(clusters [][]float64) *Clusters {
	c := new(Clusters)
	for i, values := range clusters {
		c.sizes = append(c.sizes, len(values))
		for _, x := range values {
			c.values = append(c.values, clustered{x, i})
		}
	}
	slices.SortFunc(c.values, func(a, b clustered) int { return cmp.Compare(b.x, a.x) })
	return c
}

// Intervals returns bootstrap percentile intervals of quantiles, which must ascend. It draws whole clusters. ok is
// false below MinClusters.
func (c *Clusters) Intervals(qs []float64, seed uint64) (out []Interval, ok bool) {
	if len(c.sizes) < MinClusters {
		return nil, false
	}
	for _, draws := range c.resample(qs, clusterResamples, seed) {
		out = append(out, Bounds(draws))
	}
	return out, true
}

// Resample returns a quantile of Resamples bootstrap resamples of clusters.
func (c *Clusters) Resample(q float64, seed uint64) []float64 {
	if len(c.values) == 0 {
		return nil
	}
	return c.resample([]float64{q}, Resamples, seed)[0]
}

// resample returns the draws of each quantile. A resample's quantile is the smallest value such that a share of at
// least q lies at or below it.
func (c *Clusters) resample(qs []float64, times int, seed uint64) [][]float64 {
	out := make([][]float64, len(qs))
	for i := range out {
		out[i] = make([]float64, times)
	}
	rng := rand.New(rand.NewPCG(seed, 3))
	drawn := make([]int, len(c.sizes))
	for t := range times {
		clear(drawn)
		total := 0
		for range c.sizes {
			k := rng.IntN(len(c.sizes))
			drawn[k]++
			total += c.sizes[k]
		}
		above, at := 0, 0 // values passed, each as often as its cluster was drawn
		for i := len(qs) - 1; i >= 0; i-- {
			allowed := int((1 - qs[i]) * float64(total) * (1 + 1e-12))
			for ; above <= allowed && at < len(c.values); at++ {
				above += drawn[c.values[at].of]
			}
			out[i][t] = c.values[max(at-1, 0)].x
		}
	}
	return out
}
