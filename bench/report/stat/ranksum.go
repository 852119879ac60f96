package stat

import (
	"math"
	"slices"
	"sort"

	"github.com/aclements/go-moremath/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

// exactRankSum is up to how many values of each sample the distribution of rank sums is exact.
const exactRankSum = 25

func init() {
	stats.MannWhitneyExactLimit, stats.MannWhitneyTiesExactLimit = exactRankSum, exactRankSum
}

// Unpaired tests two samples by Mann and Whitney's rank sums: whether values of a usually exceed values of b. Estimate is Hodges and
// Lehmann's shift, the median of all differences; its interval inverts the test. ok is false where so few values could never reach the
// level.
func Unpaired(a, b []float64, level float64) (s Shift, ok bool) {
	n, m := len(a), len(b)
	s = Shift{N: min(n, m), Effective: float64(min(n, m)), P: 1}
	if n == 0 || m == 0 || level < LeastP(n, m) {
		return s, false
	}
	x, y := slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	s.invert(pooled(a, b), RankSum(x, y), level, float64(n)*float64(m),
		func(p float64) float64 { return rankSumQuantile(n, m, p) }, func(k float64) float64 { return difference(x, y, k) })
	return s, true
}

// RankSum is the two-sided p-value of Mann and Whitney's test: exact up to 25 values of each, ties or not, else the normal approximation
// with continuity and ties corrected for. Without values, or with all of them equal, it is 1.
func RankSum(a, b []float64) float64 {
	t, err := stats.MannWhitneyUTest(a, b, stats.LocationDiffers)
	if err != nil {
		return 1
	}
	return t.P
}

// LeastP is the p-value where all of one sample lie above all of the other: 2 / C(n+m, n).
func LeastP(n, m int) float64 {
	a, _ := math.Lgamma(float64(n + m + 1))
	b, _ := math.Lgamma(float64(n + 1))
	c, _ := math.Lgamma(float64(m + 1))
	return 2 * math.Exp(b+c-a)
}

// difference is the k-th smallest (from 1) of all x - y, both sorted.
func difference(x, y []float64, k float64) float64 {
	return bisect(x[0]-y[len(y)-1], x[len(x)-1]-y[0], func(at float64) bool {
		count, j := 0, 0
		for _, v := range x { // how many y are below v - at lie beyond it
			for j < len(y) && v-y[j] > at {
				j++
			}
			count += len(y) - j
		}
		return float64(count) >= k
	})
}

// rankSumQuantile is the rank of the difference at which the interval ends, as R's wilcox.test has it.
func rankSumQuantile(n, m int, p float64) float64 {
	if n <= exactRankSum && m <= exactRankSum {
		exact := stats.UDist{N1: n, N2: m}
		return math.Max(1, float64(sort.Search(n*m, func(u int) bool { return exact.CDF(float64(u)) >= p })))
	}
	a, b := float64(n), float64(m)
	return math.Max(1, math.Floor(a*b/2+distuv.UnitNormal.Quantile(p)*math.Sqrt(a*b*(a+b+1)/12)))
}
