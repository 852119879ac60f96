package stat

import (
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

// Paired is what differences within blocks say: both values of a pair were measured in the same round, so what a round does to all of
// them cancels.
type Paired struct {
	N        int // pairs
	Estimate float64
	CI       Interval
	P        float64 // two-sided Wilcoxon signed-rank test of a symmetry about 0
}

// exactSignedRank is up to how many pairs quantiles of the signed-rank distribution are exact.
const exactSignedRank = 50

// MinPaired is how many pairs an interval needs: below it not even the extremes reach 95 %.
const MinPaired = 6

// ComparePaired takes differences, x - y of each pair. Estimate is Hodges and Lehmann's: the median of the means of all pairs of
// differences; the interval inverts the test. ok is false below MinPaired differences. The slice is not kept.
func ComparePaired(differences []float64) (p Paired, ok bool) {
	if len(differences) < MinPaired {
		return Paired{N: len(differences), P: 1}, false
	}
	d := slices.Sorted(slices.Values(differences))
	n := float64(len(d))
	walsh := n * (n + 1) / 2
	k := signedRankQuantile(len(d), (1-Confidence)/2)
	middle := walshAverage(d, math.Ceil(walsh/2))
	if math.Mod(walsh, 2) == 0 {
		middle = (middle + walshAverage(d, walsh/2+1)) / 2
	}
	return Paired{N: len(d), Estimate: middle, CI: Interval{walshAverage(d, k), walshAverage(d, walsh+1-k)}, P: SignedRank(d)}, true
}

// SignedRank is the two-sided p-value of Wilcoxon's signed-rank test. Zero differences are left out, as Wilcoxon did; ties get
// the mean of their ranks. Without either, up to 50 differences, it is exact; else the normal approximation with continuity correction.
func SignedRank(differences []float64) float64 {
	var d []float64
	for _, x := range differences {
		if x != 0 {
			d = append(d, x)
		}
	}
	n := len(d)
	if n == 0 {
		return 1
	}
	slices.SortFunc(d, func(a, b float64) int {
		switch a, b := math.Abs(a), math.Abs(b); {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	positive, ties := 0.0, 0.0
	for i := 0; i < n; {
		j := i
		for j < n && math.Abs(d[j]) == math.Abs(d[i]) {
			j++
		}
		rank, t := float64(i+1+j)/2, float64(j-i)
		ties += t*t*t - t
		for ; i < j; i++ {
			if d[i] > 0 {
				positive += rank
			}
		}
	}
	if ties == 0 && n == len(differences) && n <= exactSignedRank {
		return exactSigned(n, positive)
	}
	m := float64(n)
	z := positive - m*(m+1)/4
	sd := math.Sqrt(m*(m+1)*(2*m+1)/24 - ties/48)
	z = math.Max(0, math.Abs(z)-0.5) / sd
	return math.Min(1, 2*distuv.UnitNormal.Survival(z))
}

func exactSigned(n int, w float64) float64 {
	counts := signedRankCounts(n)
	below := 0.0
	least := int(math.Min(w, float64(len(counts)-1)-w))
	for _, c := range counts[:least+1] {
		below += c
	}
	return math.Min(1, 2*below/math.Exp2(float64(n)))
}

var (
	signedRankMutex sync.Mutex
	signedRankCache = map[int][]float64{}
)

// signedRankCounts is in how many of the 2^n sets of signs the positive ranks sum up to each value.
func signedRankCounts(n int) []float64 {
	signedRankMutex.Lock()
	defer signedRankMutex.Unlock()
	if counts, ok := signedRankCache[n]; ok {
		return counts
	}
	counts := make([]float64, n*(n+1)/2+1)
	signedRankCache[n] = counts
	counts[0] = 1
	for rank := 1; rank <= n; rank++ {
		for w := len(counts) - 1; w >= rank; w-- {
			counts[w] += counts[w-rank]
		}
	}
	return counts
}

// signedRankQuantile is from which Walsh average on, counted from 1, an interval with that much probability outside each end
// reaches: as R's wilcox.test has it.
func signedRankQuantile(n int, p float64) float64 {
	if n <= exactSignedRank {
		sum, total := 0.0, math.Exp2(float64(n))
		for w, c := range signedRankCounts(n) {
			if sum += c; sum/total >= p {
				return math.Max(1, float64(w))
			}
		}
	}
	m := float64(n)
	return math.Max(1, math.Floor(m*(m+1)/4+distuv.UnitNormal.Quantile(p)*math.Sqrt(m*(m+1)*(2*m+1)/24)))
}

// walshAverage is the k-th smallest (from 1) of the means of all pairs of d, each value with itself included; d is sorted. It counts
// instead of listing them: n values have n*(n+1)/2.
func walshAverage(d []float64, k float64) float64 {
	lo, hi := d[0], d[len(d)-1]
	for range 200 {
		middle := lo + (hi-lo)/2
		if middle <= lo || middle >= hi {
			break
		}
		if countWalsh(d, middle) >= k {
			hi = middle
		} else {
			lo = middle
		}
	}
	if countWalsh(d, lo) >= k {
		return lo
	}
	return hi
}

// countWalsh is how many means of pairs are at most x.
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
