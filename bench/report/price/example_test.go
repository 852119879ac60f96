package price_test

import (
	"fmt"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/price"
)

// A million invocations of 2.3 ms at 512 MB: whole milliseconds are billed.
func ExampleRate_Invocation() {
	rate, _ := price.Default().Rate("us-east-1", arm.ARM64)
	fmt.Printf("%.2f %s\n", 1e6*rate.Invocation(512, 2.3), rate.Currency)
	// Output: 0.22 USD
}
