package stat

import (
	"math"
	"slices"
	"sort"

	"github.com/aclements/go-moremath/stats"
	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/arm/list"
)

// exactRankSum is the size of samples up to which the distribution of rank sums is exact.
const exactRankSum = 25

func init() {
	stats.MannWhitneyExactLimit, stats.MannWhitneyTiesExactLimit = exactRankSum, exactRankSum
}

// Unpaired tests two samples by Mann and Whitney's rank sums: do values of a usually exceed values of b?
// Estimate is the Hodges-Lehmann shift, the median of all differences; its interval inverts the test. ok is false if
// there are too few values to reach the level.
func Unpaired(a, b []float64, level float64) (s Shift, ok bool) {
	n, m := len(a), len(b)
	s = Shift{N: min(n, m), Effective: float64(min(n, m)), P: 1}
	if n == 0 || m == 0 || level < LeastP(n, m) {
		return s, false
	}
	x, y := slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	s.invert(pooled(a, b), RankSum(x, y), level, float64(n)*float64(m),
		func(p float64) float64 { return rankSumQuantile(n, m, p) },
		func(k float64) float64 { return difference(x, y, k) })
	return s, true
}

// RankSum returns the two-sided p-value of Mann and Whitney's test. Up to 25 values of each sample it is exact, even
// with ties; else it is the normal approximation, corrected for continuity and ties. If there are no values, or all
// are equal, it is 1.
func RankSum(a, b []float64) float64 {
	t, err := stats.MannWhitneyUTest(a, b, stats.LocationDiffers)
	if err != nil {
		return 1
	}
	return t.P
}

// LeastP returns the least p-value of n and m values, when all of one sample exceed all of the other: 2 / C(n+m, n).
func LeastP(n, m int) float64 {
	return 2 * math.Exp(-combin.LogGeneralizedBinomial(float64(n+m), float64(n)))
}

// difference returns the k-th smallest (from 1) of all x - y. Both are sorted.
func difference(x, y []float64, k float64) float64 {
	return bisect(x[0]-y[len(y)-1], x[len(x)-1]-y[0], func(at float64) bool {
		count, j := 0, 0
		for _, v := range x { // count each y with v - y <= at
			for j < len(y) && v-y[j] > at {
				j++
			}
			count += len(y) - j
		}
		return float64(count) >= k
	})
}

// rankSumQuantile returns the rank of the difference at which the interval ends, as in R's wilcox.test.
func rankSumQuantile(n, m int, p float64) float64 {
	if n <= exactRankSum && m <= exactRankSum {
		exact := stats.UDist{N1: n, N2: m}
		return math.Max(1, float64(sort.Search(n*m, func(u int) bool { return exact.CDF(float64(u)) >= p })))
	}
	a, b := float64(n), float64(m)
	return math.Max(1, math.Floor(a*b/2+distuv.UnitNormal.Quantile(p)*math.Sqrt(a*b*(a+b+1)/12)))
}

// ranks returns the values' ranks in order of measuring. Ties get their mean rank.
func ranks(inOrder []float64) []float64 {
	sorted := slices.Sorted(slices.Values(inOrder))
	return list.Map(inOrder, func(x float64) float64 { return below(sorted, x) + 0.5 })
}

// below counts the sorted values below v. A value equal to v counts half.
func below(sorted []float64, v float64) float64 {
	lo := sort.SearchFloat64s(sorted, v)
	hi := lo + sort.Search(len(sorted)-lo, func(i int) bool { return sorted[lo+i] > v })
	return float64(lo+hi) / 2
}
