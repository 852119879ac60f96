package counts_test

import (
	"encoding/json"
	"fmt"

	"github.com/twinstart/twinstart/arm/counts"
)

// The example prints a line of the lab's log. A count that was not taken is absent.
func ExampleLine() {
	text, _ := json.Marshal(counts.Line{RequestID: "8f3a", Counts: counts.Counts{InitReadKiB: new(620.0), PackageReadBy: "computed"}})
	fmt.Println(string(text))
	// Output:
	// {"requestId":"8f3a","initReadKiB":620,"packageReadBy":"computed"}
}
