package readahead_test

import (
	"bytes"
	"fmt"

	"github.com/twinstart/twinstart/probe/readahead"
)

// The first touch of a mapped page reads a window of 128 KiB around the page.
func ExampleFile_Fault() {
	f := readahead.New(1<<20, 128)
	f.Fault(100)
	fmt.Println(4*(len(f.Pages())-bytes.Count(f.Pages(), []byte{0})), "KiB of 1024")
	// Output: 128 KiB of 1024
}
