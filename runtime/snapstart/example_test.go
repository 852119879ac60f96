package snapstart_test

import (
	"fmt"
	"log"

	"github.com/twinstart/twinstart/runtime/snapstart"
)

// Before the snapshot the function loads what every environment needs. After a restore it connects again. Without
// SnapStart neither runs.
func ExampleWait() {
	load := func() error { fmt.Println("loaded"); return nil }
	connect := func() error { fmt.Println("connected"); return nil }
	if err := snapstart.Wait(load, connect); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	// Output: ready
}
