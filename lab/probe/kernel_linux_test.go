package probe

import (
	"strings"
	"testing"

	"github.com/twinstart/twinstart/runtime/arm"
)

func TestKernelsThatReadCodeOtherwise(t *testing.T) {
	for _, test := range []struct {
		release  string
		arch     arm.Architecture
		emulated bool
		want     string
	}{
		{"6.18.44-x", arm.X8664, false, ""},
		{"6.17.0", arm.X8664, false, ""},
		{"6.12.107+deb13-cloud-amd64", arm.X8664, false, "are higher here"},
		{"6.1", arm.X8664, false, "are higher here"},
		{"6.18.0", arm.X8664, true, "are higher here"},
		{"6.12.107", arm.ARM64, false, ""},
		{"6.18.0", arm.ARM64, true, ""},
		{"7.0-rc1", arm.ARM64, false, "are lower here"},
	} {
		if got := otherReadAround(test.release, test.arch, test.emulated); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s, %s, emulated %v: %q", test.release, test.arch, test.emulated, got)
		}
	}
}
