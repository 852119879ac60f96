package logline_test

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/record/logline"
)

// If a line lacks a value, the field is nil and not 0: a warm start has no Init Duration.
func ExampleParse() {
	for _, line := range []string{
		"REPORT RequestId: 1\tDuration: 1.52 ms\tBilled Duration: 30 ms\tMemory Size: 128 MB\tMax Memory Used: 20 MB\tInit Duration: 27.70 ms\t",
		"REPORT RequestId: 2\tDuration: 0.80 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 20 MB\t",
	} {
		l, err := logline.Parse(line)
		if err != nil {
			panic(err)
		}
		if l.Report.InitDurationMs != nil {
			fmt.Println("cold:", *l.Report.InitDurationMs, "ms of INIT")
		} else {
			fmt.Println("warm:", *l.Report.DurationMs, "ms")
		}
	}
	// Output:
	// cold: 27.7 ms of INIT
	// warm: 0.8 ms
}
