package stat

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Slower is an arm against another that spreads alike and takes longer by a factor: what a sample of the first says of the Mann-Whitney
// statistic of such a pair.
type Slower struct {
	p1, p2, p3 float64 // P(X < Y), P(X < both of two Y), P(both of two X < Y); ties count half
}

// NewSlower takes a sample of two values at least. No value is held against its own multiple: that would be told from itself.
func NewSlower(s *Sample, factor float64) Slower {
	x, n := s.Values(), float64(s.N())
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = factor * v
	}
	var out Slower
	for i, v := range x {
		// above is how many of the other values' multiples lie above v.
		above := (n - n*below(y, v) - half(v < y[i], v == y[i])) / (n - 1)
		under := (n*below(x, y[i]) - half(v < y[i], v == y[i])) / (n - 1)
		out.p1 += above / n
		out.p2 += above * above / n
		out.p3 += under * under / n
	}
	return out
}

func half(less, equal bool) float64 {
	switch {
	case less:
		return 1
	case equal:
		return 0.5
	}
	return 0
}

// Power is the chance that the Mann-Whitney test tells n values of each apart at level alpha, by the normal approximation with the variance
// that the alternative has (Lehmann 1975, section 2.3).
func (s Slower) Power(n int, alpha float64) float64 {
	return s.power(float64(n), alpha)
}

// Needed is the least n at which Power reaches power; ok is false above limit.
func (s Slower) Needed(power, alpha float64, limit int) (n int, ok bool) {
	n = 2 + sort.Search(limit-1, func(i int) bool { return s.power(float64(i+2), alpha) >= power })
	return n, n <= limit
}

// below is the share of sorted values below v, those equal to it counting half.
func below(sorted []float64, v float64) float64 {
	lo := sort.SearchFloat64s(sorted, v)
	hi := lo + sort.Search(len(sorted)-lo, func(i int) bool { return sorted[lo+i] > v })
	return float64(lo+hi) / 2 / float64(len(sorted))
}

func (m Slower) power(n, alpha float64) float64 {
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
