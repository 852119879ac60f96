package stat

import (
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/aclements/go-moremath/stats"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/arm/list"
)

// Shift is the distance of two samples, with the interval and the p-value of the same test.
type Shift struct {
	N         int      // pairs, or values of the smaller sample
	Effective float64  // the number of independent ones that would say as much; N if neighbours are independent
	Estimate  float64  // Hodges and Lehmann's
	CI        Interval // by inverting the test; where its ranks do not reach the level, from p (Miettinen 1976)
	P         float64  // two-sided
	Told      bool     // P is below the level, and the interval excludes 0
}

// Paired tests differences within rounds by Wilcoxon's signed ranks: whether one thing usually takes longer than the
// other. A round's effect on both cancels. The remaining dependence between neighbouring rounds is corrected for,
// with the help of what other pairs show (shared). level is the level of this one test, such as Family.Level. ok is
// false if so few pairs can never reach it.
func Paired(differences []float64, level float64, shared Dependence) (s Shift, ok bool) {
	n := len(differences)
	s = Shift{N: n, Effective: float64(n), P: 1}
	if n < LeastPairs(level) {
		return s, false
	}
	d := slices.Sorted(slices.Values(differences))
	s.invert(newCorrection(differences, shared), SignedRank(differences), level, float64(n)*float64(n+1)/2,
		func(p float64) float64 { return signedRankQuantile(n, p) }, func(k float64) float64 { return walshAverage(d, k) })
	return s, true
}

// invert fills in the result of a rank test over so many pairs of values. end returns the rank at which the interval
// ends, at the k-th smallest value of the pairs.
func (s *Shift) invert(c correction, p, level, pairs float64, end func(p float64) float64, at func(k float64) float64) {
	s.Effective, s.P = float64(s.N)/c.inflation, c.p(p)
	s.Estimate = at(math.Ceil(pairs / 2))
	if math.Mod(pairs, 2) == 0 {
		s.Estimate = (s.Estimate + at(pairs/2+1)) / 2
	}
	k := end(c.level(level) / 2)
	s.CI = Interval{at(k), at(pairs + 1 - k)}
	if c.inflation > 1 && s.P >= level && (s.CI.Lo > 0 || s.CI.Hi < 0) { // values that count like fewer: no rank is far enough out
		half := math.Abs(s.Estimate) * c.quantile(level) / c.quantile(s.P)
		s.CI = Interval{s.Estimate - half, s.Estimate + half}
	}
	s.Told = s.P < level && (s.CI.Lo > 0 || s.CI.Hi < 0)
}

// LeastPairs returns how many pairs a test needs to reach a level if all differences lie on one side.
func LeastPairs(level float64) int { return max(2, int(math.Ceil(1-math.Log2(level)))) }

// MayTell reports whether Paired could tell the two apart: its corrections only make p larger. It is much faster than
// Paired.
func MayTell(differences []float64, level float64) bool { return SignedRank(differences) < level }

// exactSignedRank is the number of pairs up to which the distribution of signed ranks is exact, even with ties.
const exactSignedRank = 100

// SignedRank returns the two-sided p-value of Wilcoxon's signed-rank test. It leaves out differences of zero, as
// Wilcoxon did; ties get their mean rank. Up to 100 differences it is exact, given the ties; else it is the normal
// approximation with continuity correction.
func SignedRank(differences []float64) float64 {
	d := slices.DeleteFunc(slices.Clone(differences), func(x float64) bool { return x == 0 })
	n := len(d)
	doubled, positive, squares := make([]int, n), 0, 0.0 // ranks: those of ties are halves
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

// cumulative returns, for each w up to most, the chance that the ranks with a positive sign sum up to at most w if
// signs are fair coins.
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

var signedRankCache sync.Map // by n

// signedRanks returns cumulative of the ranks 1 to n.
func signedRanks(n int) []float64 {
	if p, ok := signedRankCache.Load(n); ok {
		return p.([]float64)
	}
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	p := cumulative(ranks, n*(n+1)/2)
	signedRankCache.Store(n, p)
	return p
}

// signedRankQuantile returns the rank (from 1) of the Walsh average at which an interval begins that has probability
// p outside each end, as in R's wilcox.test.
func signedRankQuantile(n int, p float64) float64 {
	if n <= exactSignedRank {
		at, _ := slices.BinarySearch(signedRanks(n), p)
		return math.Max(1, float64(at))
	}
	m := float64(n)
	return math.Max(1, math.Floor(m*(m+1)/4+distuv.UnitNormal.Quantile(p)*math.Sqrt(m*(m+1)*(2*m+1)/24)))
}

// walshAverage returns the k-th smallest (from 1) of the means of all pairs of d, including each value with itself; d
// is sorted. It counts the means instead of listing them: n values have n*(n+1)/2.
func walshAverage(d []float64, k float64) float64 {
	return bisect(d[0], d[len(d)-1], func(x float64) bool { return countWalsh(d, x) >= k })
}

// bisect returns the least x at which enough is true, to the last bit. It must be true at hi.
func bisect(lo, hi float64, enough func(float64) bool) float64 {
	if enough(lo) {
		return lo
	}
	for range 200 {
		middle := lo + (hi-lo)/2
		if middle <= lo || middle >= hi {
			break
		}
		if enough(middle) {
			hi = middle
		} else {
			lo = middle
		}
	}
	return hi
}

// countWalsh counts the means of pairs that are at most x.
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

// exactRankSum is the size of samples up to which the distribution of rank sums is exact.
const exactRankSum = 25

func init() {
	stats.MannWhitneyExactLimit, stats.MannWhitneyTiesExactLimit = exactRankSum, exactRankSum
}

// Unpaired tests two samples by Mann and Whitney's rank sums: whether values of a usually exceed values of b.
// Estimate is the Hodges-Lehmann shift, the median of all differences; its interval inverts the test. ok is false if
// so few values can never reach the level.
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

// LeastP returns the p-value if all values of one sample lie above all of the other: 2 / C(n+m, n).
func LeastP(n, m int) float64 {
	a, _ := math.Lgamma(float64(n + m + 1))
	b, _ := math.Lgamma(float64(n + 1))
	c, _ := math.Lgamma(float64(m + 1))
	return 2 * math.Exp(b+c-a)
}

// difference returns the k-th smallest (from 1) of all x - y. Both are sorted.
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

// rankSumQuantile returns the rank of the difference at which the interval ends, as in R's wilcox.test.
func rankSumQuantile(n, m int, p float64) float64 {
	if n <= exactRankSum && m <= exactRankSum {
		exact := stats.UDist{N1: n, N2: m}
		return math.Max(1, float64(sort.Search(n*m, func(u int) bool { return exact.CDF(float64(u)) >= p })))
	}
	a, b := float64(n), float64(m)
	return math.Max(1, math.Floor(a*b/2+distuv.UnitNormal.Quantile(p)*math.Sqrt(a*b*(a+b+1)/12)))
}
