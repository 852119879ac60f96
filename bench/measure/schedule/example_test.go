package schedule_test

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/measure/schedule"
)

// The order of a round follows from the seed: a resumed run has the same orders.
func ExampleOrder() {
	again := schedule.Order(7, schedule.Cold, 3, 4)
	fmt.Println(fmt.Sprint(schedule.Order(7, schedule.Cold, 3, 4)) == fmt.Sprint(again), len(again))
	fmt.Println(schedule.Blocks(25, 10))
	// Output:
	// true 4
	// [3 3 3 3 3 2 2 2 2 2]
}
