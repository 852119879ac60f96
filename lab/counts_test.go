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

// A cold start reports the CPU time and the page faults of its processes. If reads of the base are counted, it reports
// them too.
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
	want := `,"firstResponseReadKiB":\d+,"firstResponseReadChunks":\d+,.*"managedRuntime":"node","packageReadBy":"computed","initPackageReadKiB":2008,` +
		`"initPackageReadErrorKiB":3.25,"initPackageReadChunks":4,"firstResponsePackageReadKiB":2022,"initBaseReadKiB":3420,` +
		`"initBaseReadChunks":9,"initLibcReadKiB":1800,"firstResponseBaseReadKiB":3424,"firstResponseBaseReadChunks":10,` +
		`"initWarmCPUMs":1.25}}\n$`
	if !regexp.MustCompile(want).MatchString(log) {
		t.Errorf("the counts of F are not in its log: %q", log)
	}
	counter := usage.Watch(os.Getpid())
	defer counter.Close()
	t.Run("CPU", func(t *testing.T) {
		need.No(t, counter.NoCPU())
		if os.Geteuid() != 0 {
			need.Missing(t, "root: unprivileged, the processes of an environment are not counted")
		}
		if !regexp.MustCompile(`,"initCPUMs":[1-9][\d.]*,("firstResponseCPUMs":[\d.]+,)?"initPageFaults":[1-9]\d+,"initMajorPageFaults":\d+,`).MatchString(log) {
			t.Errorf("no CPU time or no page faults in %q", log)
		}
	})
	if again := invoke(t, c, "F", `{}`).log; strings.Contains(again, "lab.report") {
		t.Errorf("a warm invocation has counts: %q", again)
	}
	if log = invoke(t, c, "G", `{}`).log; !strings.Contains(log, `"initReadKiB":`) || strings.Contains(log, "BaseReadKiB") {
		t.Errorf("G's log must have reads of the package, but not of the base: %q", log)
	}
	if asked != 2 {
		t.Errorf("Count was called %d times for two packages", asked)
	}
}
