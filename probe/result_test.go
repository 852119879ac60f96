package probe

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm/counts"
)

// A count that was not taken is nil, and without counts of the base nothing can be predicted.
func TestCountsOfAResult(t *testing.T) {
	r := &Result{ColdBy: "posix_fadvise", CountedBy: Computed, Reads: []Reads{{Next: Count{PackageKiB: 8, PackageChunks: 1, BaseKiB: 30, BaseChunks: 2, LibcKiB: 20}, ErrorKiB: 0.5}}}
	if _, err := r.Counts(); err == nil || err.Error() != "cold by posix_fadvise only" {
		t.Errorf("error %v without counts of the base", err)
	}
	r.Reads[0].Next.BaseCounted = true
	got, err := r.Counts()
	want := &counts.Counts{PackageReadBy: "computed", InitPackageReadKiB: new(8.0), InitPackageReadChunks: new(1), InitPackageReadErrorKiB: new(0.5),
		InitLibcReadKiB: new(20.0), InitBaseReadKiB: new(30.0), InitBaseReadChunks: new(2)}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("error %v, counts (-want +got):\n%s", err, d)
	}
	r.Reads[0].First, r.CPU = &Count{PackageKiB: 12, BaseKiB: 40, BaseChunks: 3}, &CPU{InitMs: 1.5}
	if got, _ = r.Counts(); *got.FirstResponsePackageReadKiB != 12 || *got.FirstResponseBaseReadKiB != 40 || *got.FirstResponseBaseReadChunks != 3 || *got.InitWarmCPUMs != 1.5 {
		t.Errorf("counts with a first response and CPU: %+v", got)
	}
}
