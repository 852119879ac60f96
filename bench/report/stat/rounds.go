package stat

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Resamples is the number of bootstrap resamples of an interval.
const Resamples = 1999

// Rounds holds the values of several arms by round: Rounds[arm][round]. A value is NaN if the round did not measure the
// arm.
type Rounds [][]float64

// Draws holds the results of resamples: Draws[arm][resample]. A result is NaN if the resample has no value of the arm.
type Draws [][]float64

// Quantile resamples whole rounds and takes each arm's quantile. So a round's effect stays the same for all arms. It
// draws blocks of neighbouring rounds, because neighbours may depend on each other; Block says how long a block is.
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

// resample computes f for each arm. times says how often each round was drawn.
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
			start := rng.IntN(n) // rounds form a circle, so that each is equally likely
			for end := min(drawn+block, n); drawn < end; drawn++ {
				times[start%n]++
				start++
			}
		}
		for i := range r {
			out[i][k] = f(i, times)
		}
	}
	return out
}

// weighted returns the quantile q, by R8, of values that count several times each. order holds the values' indices, in
// ascending order of the values.
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
