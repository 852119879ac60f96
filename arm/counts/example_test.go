package counts_test

import (
	"encoding/json"
	"fmt"

	"github.com/twinstart/twinstart/arm/counts"
)

// The example prints a line of the lab's log as text and as JSON. A count that was not taken is absent.
func ExampleLine_Text() {
	l := counts.Line{RequestID: "8f3a"}
	l.Set("Init Read", "620")
	l.Set("Package Read By", "computed")
	l.Set("Init CPU", "-1")
	l.Set("Init Page Faults", "many")
	text, _ := json.Marshal(l)
	fmt.Printf("%q\n%s\n", l.Text(), text)
	// Output:
	// "RequestId: 8f3a\tInit Read: 620 KiB\tPackage Read By: computed"
	// {"requestId":"8f3a","initReadKiB":620,"packageReadBy":"computed"}
}
