package stat

// beyond is how many values must lie beyond a quantile before two arms are compared there.
const beyond = 5

// Tail is the farthest of p99, p95 and p90 that n values can speak about; ok is false below MinTail values.
func Tail(n int) (q float64, ok bool) {
	for _, per1000 := range []int{990, 950, 900} {
		if n*(1000-per1000) >= beyond*1000 {
			return float64(per1000) / 1000, true
		}
	}
	return 0, false
}

// MinTail is how many values the nearest tail, p90, needs.
const MinTail = beyond * 10

// MinMedian is how many values a resampled median needs.
const MinMedian = 6
