package arm_test

import (
	"fmt"

	"github.com/twinstart/twinstart/arm"
)

func ExampleMatch() {
	for _, id := range []string{"rawtcp/zip", "rawtcp-upx/zip", "rawtcp/image"} {
		ok, err := arm.Match("rawtcp/*", id)
		fmt.Println(id, ok, err)
	}
	// Output:
	// rawtcp/zip true <nil>
	// rawtcp-upx/zip false <nil>
	// rawtcp/image true <nil>
}

func ExampleVCPUs() {
	fmt.Printf("%.2f vCPU at 128 MB, %.0f at 1769 MB\n", arm.VCPUs(128), arm.VCPUs(1769))
	// Output: 0.07 vCPU at 128 MB, 1 at 1769 MB
}
