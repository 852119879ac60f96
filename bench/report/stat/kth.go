package stat

import "math"

// kth puts the k-th smallest value (from 0) in its place, smaller ones before it and larger ones behind, and returns it: two bounds
// of an interval need no sorted draws. Draws of a sample are full of ties, so the partition has three parts.
func kth(xs []float64, k int) float64 {
	lo, hi := 0, len(xs)-1
	for lo < hi {
		pivot := middle(xs[lo], xs[lo+(hi-lo)/2], xs[hi])
		less, i, more := lo, lo, hi
		for i <= more {
			switch x := xs[i]; {
			case x < pivot:
				xs[i], xs[less] = xs[less], x
				less++
				i++
			case x > pivot:
				xs[i], xs[more] = xs[more], x
				more--
			default:
				i++
			}
		}
		switch {
		case k < less:
			hi = less - 1
		case k > more:
			lo = more + 1
		default:
			return xs[k]
		}
	}
	return xs[k]
}

func middle(a, b, c float64) float64 {
	return max(min(a, b), min(max(a, b), c))
}

// Bounds is the central interval of draws, of the probability Confidence; draws are put in another order.
func Bounds(draws []float64) Interval {
	n := float64(len(draws) - 1)
	return Interval{kth(draws, int(math.Floor(n*(1-Confidence)/2))), kth(draws, int(math.Ceil(n*(1+Confidence)/2)))}
}
