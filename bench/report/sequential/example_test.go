package sequential_test

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/report/sequential"
)

// The levels of all looks at a run of 100 rounds sum up to the whole error.
func ExamplePlan() {
	sum := 0.0
	for _, l := range sequential.Plan(100, 0.05) {
		sum += l.Level
	}
	fmt.Printf("%.2f\n", sum)
	// Output: 0.05
}
