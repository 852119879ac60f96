package stat_test

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/report/stat"
)

// If there are too few values for a percentile, it has no interval. A median needs 6.
func ExampleSample_Median() {
	for _, ms := range [][]float64{{8, 9, 9, 10, 12}, {8, 9, 9, 10, 12, 30, 9, 10, 11, 9}} {
		median, ci, ok := stat.NewSample(ms).Median()
		if !ok {
			fmt.Printf("%.1f ms\n", median)
			continue
		}
		fmt.Printf("%.1f ms [%.0f, %.0f]\n", median, ci.Lo, ci.Hi)
	}
	// Output:
	// 9.0 ms
	// 9.5 ms [9, 12]
}

// Three tests of one family, adjusted by Holm's method.
func ExampleHolm() {
	fmt.Printf("%.3f\n", stat.Holm([]float64{0.01, 0.04, 0.03}))
	// Output: [0.030 0.060 0.060]
}
