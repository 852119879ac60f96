package probe

import (
	"errors"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab/coldfs"
)

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

// Where the order of first touches cannot be noted KiB are counted as this kernel reads, start by start for each read-ahead, and it is said.
func TestWithoutOrder(t *testing.T) {
	p := &Prober{store: &coldfs.Store{Loop: true}, options: Options{ReadAheads: []int{128, 0}}, noOrder: errors.New("perf_event_open: operation not permitted")}
	r := &Result{Emulated: true}
	groups := p.groups(r)
	if len(groups) != 2 || groups[0].mounted != 128 || groups[1].mounted != 0 || r.CountedBy != PageCache {
		t.Errorf("%+v, %+v", groups, r)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "cannot be noted here (perf_event_open") {
		t.Errorf("%q", r.Warnings)
	}
	p.noOrder = nil
	if groups := p.groups(r); len(groups) != 1 || groups[0].mounted != 0 || r.CountedBy != Computed {
		t.Errorf("%+v, %+v", groups, r)
	}
}
