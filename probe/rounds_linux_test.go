package probe

import (
	"errors"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab/coldfs"
)

// If the order of first touches cannot be noted, KiB are the pages that this kernel read into memory. Then each
// read-ahead needs its own starts, and a warning says so.
func TestWithoutOrder(t *testing.T) {
	p := &Prober{store: &coldfs.Store{Loop: true}, options: Options{ReadAheads: []int{128, 0}}, noOrder: errors.New("perf_event_open: operation not permitted")}
	r := &Result{Emulated: true}
	groups := p.groups(r)
	if len(groups) != 2 || groups[0].mounted != 128 || groups[1].mounted != 0 || r.CountedBy != PageCache {
		t.Errorf("without the order: groups %+v, result %+v", groups, r)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "cannot be noted here (perf_event_open") {
		t.Errorf("warnings %q", r.Warnings)
	}
	p.noOrder = nil
	if groups := p.groups(r); len(groups) != 1 || groups[0].mounted != 0 || r.CountedBy != Computed {
		t.Errorf("with the order: groups %+v, result %+v", groups, r)
	}
}
