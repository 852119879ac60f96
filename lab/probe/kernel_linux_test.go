package probe

import "testing"

func TestKernelsThatReadCodeOtherwise(t *testing.T) {
	for _, test := range []struct {
		release  string
		emulated bool
		want     bool
	}{
		{"6.18.44-x", false, true},
		{"6.17.0", false, true},
		{"7.0-rc1", false, true},
		{"6.16.9", false, false},
		{"6.12.107+deb13-cloud-amd64", false, false},
		{"6.1", false, false},
		{"5.10.240-238.959.amzn2int.aarch64", false, false},
		{"6.18.0", true, false},
		{"", false, false},
	} {
		if got := otherWindows(test.release, test.emulated); (got != "") != test.want {
			t.Errorf("%s, emulated %v: %q", test.release, test.emulated, got)
		}
	}
}
