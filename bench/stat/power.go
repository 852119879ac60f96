package stat

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Power is the chance that the Mann-Whitney test tells n values like x from n like y at level alpha, by the normal approximation with
// the variance that the alternative has (Lehmann 1975, section 2.3). x and y stand for the two distributions.
func Power(x, y *Sample, n int, alpha float64) float64 {
	s := superiority(x, y)
	return s.power(float64(n), alpha)
}

// PairsNeeded is the least n at which Power reaches power; ok is false above limit.
func PairsNeeded(x, y *Sample, power, alpha float64, limit int) (n int, ok bool) {
	s := superiority(x, y)
	n = 2 + sort.Search(limit-1, func(i int) bool { return s.power(float64(i+2), alpha) >= power })
	return n, n <= limit
}

// Scaled is the sample with every value multiplied.
func (s *Sample) Scaled(factor float64) *Sample {
	out := make([]float64, s.N())
	for i, x := range s.inOrder {
		out[i] = x * factor
	}
	return NewSample(out)
}

// moments of the Mann-Whitney statistic: p1 = P(X < Y), p2 = P(X < both of two Y), p3 = P(both of two X < Y); ties count half.
type moments struct{ p1, p2, p3 float64 }

func superiority(x, y *Sample) (m moments) {
	for _, v := range x.Values() {
		a := 1 - below(y.Values(), v)
		m.p1 += a / float64(x.N())
		m.p2 += a * a / float64(x.N())
	}
	for _, v := range y.Values() {
		b := below(x.Values(), v)
		m.p3 += b * b / float64(y.N())
	}
	return m
}

// below is the share of sorted values below v, those equal to it counting half.
func below(sorted []float64, v float64) float64 {
	lo := sort.SearchFloat64s(sorted, v)
	hi := lo + sort.Search(len(sorted)-lo, func(i int) bool { return sorted[lo+i] > v })
	return float64(lo+hi) / 2 / float64(len(sorted))
}

func (m moments) power(n, alpha float64) float64 {
	null := math.Sqrt((2*n + 1) / (12 * n * n))
	variance := (m.p1*(1-m.p1) + (n-1)*(m.p2-m.p1*m.p1) + (n-1)*(m.p3-m.p1*m.p1)) / (n * n)
	distance := math.Abs(m.p1-0.5) - distuv.UnitNormal.Quantile(1-alpha/2)*null
	if variance <= 0 { // all of one above all of the other
		if distance > 0 {
			return 1
		}
		return 0
	}
	return distuv.UnitNormal.CDF(distance / math.Sqrt(variance))
}
