package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/arm/list"
)

// Paired tests differences within rounds by Wilcoxon's signed ranks: does one arm usually take longer than the other? A
// round's effect on both cancels. Dependence that remains between neighbouring rounds is corrected for; shared is the
// dependence over all pairs of arms. level is the level of this one test, for example Family.Level. ok is false if
// there are too few differences to reach it.
func Paired(differences []float64, level float64, shared Dependence) (s Shift, ok bool) {
	n := len(differences)
	s = Shift{N: n, Effective: float64(n), P: 1}
	if n < LeastPairs(level) {
		return s, false
	}
	d := slices.Sorted(slices.Values(differences))
	s.invert(newCorrection(differences, shared), SignedRank(differences), level, float64(n)*float64(n+1)/2,
		func(p float64) float64 { return signedRankQuantile(n, p) },
		func(k float64) float64 { // the k-th smallest mean of two values, which are counted because n values have n*(n+1)/2
			return bisect(d[0], d[n-1], func(x float64) bool { return countWalsh(d, x) >= k })
		})
	return s, true
}

// LeastPairs returns how many pairs a test needs to reach a level if all differences lie on one side.
func LeastPairs(level float64) int { return max(2, int(math.Ceil(1-math.Log2(level)))) }

// MayTell reports whether Paired could tell the two apart. It is much faster: it leaves out Paired's corrections, which
// only make p larger.
func MayTell(differences []float64, level float64) bool { return SignedRank(differences) < level }

// exactSignedRank is the number of pairs up to which the distribution of signed ranks is exact, even with ties.
const exactSignedRank = 100

// SignedRank returns the two-sided p-value of Wilcoxon's signed-rank test. It leaves out differences of zero, as
// Wilcoxon did; ties get their mean rank. Up to 100 differences it is exact, even with ties; else it is the normal
// approximation with continuity correction.
func SignedRank(differences []float64) float64 {
	d := slices.DeleteFunc(slices.Clone(differences), func(x float64) bool { return x == 0 })
	n := len(d)
	doubled, positive, squares := make([]int, n), 0, 0.0 // ranks are doubled, because those of ties may be halves
	for i, rank := range ranks(list.Map(d, math.Abs)) {
		doubled[i] = int(2 * rank)
		squares += rank * rank
		if d[i] > 0 {
			positive += doubled[i]
		}
	}
	least := min(positive, n*(n+1)-positive)
	switch {
	case n == 0:
		return 1
	case n > exactSignedRank:
		z := math.Max(0, float64(n*(n+1))/4-float64(least)/2-0.5) / math.Sqrt(squares/4)
		return math.Min(1, 2*distuv.UnitNormal.Survival(z))
	case len(slices.Compact(slices.Sorted(slices.Values(doubled)))) < n: // ties
		return math.Min(1, 2*cumulative(doubled, least)[least])
	}
	return math.Min(1, 2*signedRanks(n)[least/2])
}

// cumulative returns a chance for each w up to most: that the ranks with a positive sign sum up to at most w, if each
// sign is a fair coin.
func cumulative(ranks []int, most int) []float64 {
	p := make([]float64, most+1)
	p[0] = 1
	reach := 0
	for _, r := range ranks {
		reach = min(reach+r, most)
		for w := reach; w >= 0; w-- {
			if p[w] /= 2; w >= r {
				p[w] += p[w-r] / 2
			}
		}
	}
	for w := 1; w <= most; w++ {
		p[w] += p[w-1]
	}
	return p
}

// signedRanks returns cumulative of the ranks 1 to n.
var signedRanks = kept(func(n int) []float64 {
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	return cumulative(ranks, n*(n+1)/2)
})

// signedRankQuantile returns the rank (from 1) of the Walsh average at which an interval begins, as in R's wilcox.test.
// p is the probability outside each end of the interval.
func signedRankQuantile(n int, p float64) float64 {
	if n <= exactSignedRank {
		at, _ := slices.BinarySearch(signedRanks(n), p)
		return math.Max(1, float64(at))
	}
	m := float64(n)
	return math.Max(1, math.Floor(m*(m+1)/4+distuv.UnitNormal.Quantile(p)*math.Sqrt(m*(m+1)*(2*m+1)/24)))
}

// countWalsh counts the means of two values of d that are at most x. d is sorted. Each value also pairs with itself.
func countWalsh(d []float64, x float64) float64 {
	count, j := 0, len(d)-1
	for i := range d {
		for j >= i && (d[i]+d[j])/2 > x {
			j--
		}
		if j < i {
			break
		}
		count += j - i + 1
	}
	return float64(count)
}
