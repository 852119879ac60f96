package lab_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/usage"
	"github.com/twinstart/twinstart/tools/need"
)

// A cold start reports what its processes used, and what was read of the base if that is counted.
func TestCounts(t *testing.T) {
	t.Parallel()
	asked := 0
	l := openLab(t, lab.Options{Count: func(f assembly.Function) *counts.Counts {
		if asked++; f.LogicalID == "G" {
			return nil
		}
		return &counts.Counts{PackageReadBy: "computed", InitPackageReadKiB: new(2008.0), InitPackageReadChunks: new(4),
			InitPackageReadErrorKiB: new(3.25), FirstResponsePackageReadKiB: new(2022.0), InitBaseReadKiB: new(3420.0),
			InitBaseReadChunks: new(9), InitLibcReadKiB: new(1800.0), ManagedRuntime: "node",
			FirstResponseBaseReadKiB: new(3424.0), FirstResponseBaseReadChunks: new(10), InitWarmCPUMs: new(1.25)}
	}}, function(t, "F", nil), function(t, "G", nil))
	c := client(t, l)
	log := invoke(t, c, "F", `{}`).log
	want := `\tFirst Response Read: \d+ KiB\tFirst Response Read Chunks: \d+\t.*Managed Runtime: node\tPackage Read By: computed\tInit Package Read: 2008 KiB\t` +
		`Init Package Read Error: 3.2 KiB\tInit Package Read Chunks: 4\tFirst Response Package Read: 2022 KiB\tInit Base Read: 3420 KiB\t` +
		`Init Base Read Chunks: 9\tInit Libc Read: 1800 KiB\tFirst Response Base Read: 3424 KiB\tFirst Response Base Read Chunks: 10\t` +
		`Init Warm CPU: 1.25 ms\n$`
	if !regexp.MustCompile(want).MatchString(log) {
		t.Errorf("got %q", log)
	}
	counter := usage.Watch(os.Getpid())
	defer counter.Close()
	t.Run("CPU", func(t *testing.T) {
		need.No(t, counter.NoCPU())
		if os.Geteuid() != 0 {
			need.Missing(t, "root: unprivileged, the processes of an environment are not counted")
		}
		if !regexp.MustCompile(`\tInit CPU: [1-9]\d*\.\d\d ms\t(First Response CPU: \d+\.\d\d ms\t)?Init Page Faults: [1-9]\d+\tInit Major Page Faults: \d+\t`).MatchString(log) {
			t.Errorf("got %q", log)
		}
	})
	if again := invoke(t, c, "F", `{}`).log; strings.Contains(again, "LAB") {
		t.Errorf("a warm invocation has counts: %q", again)
	}
	if log = invoke(t, c, "G", `{}`).log; !strings.Contains(log, "Init Read:") || strings.Contains(log, "Base Read:") {
		t.Errorf("got %q", log)
	}
	if asked != 2 {
		t.Errorf("asked %d times for two packages", asked)
	}
}
