package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// Several functions may share a log group. Each becomes an arm, named as in the names of its log streams.
func TestAGroupOfSeveralFunctions(t *testing.T) {
	line := func(stream string, n int) string {
		return fmt.Sprintf(`{"logStreamName":"2026/11/21/%s[$LATEST]%d","timestamp":%d,"message":"REPORT RequestId: %d\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB\t\n"}`,
			stream, n, 1795255200000+n, n)
	}
	read := func(o Options, lines ...string) (arms []string, failed string) {
		for r, err := range Read("logs", strings.NewReader(`{"events":[`+strings.Join(lines, ",")+`]}`), "group", o) {
			if err != nil {
				failed = err.Error()
				continue
			}
			arms = append(arms, r.Arm)
			if r.Source != record.AWS {
				t.Errorf("source %s", r.Source)
			}
		}
		return arms, failed
	}
	named := Options{Identity: arm.Identity{Arm: "mine"}}
	for _, test := range []struct {
		options Options
		lines   []string
		arms    string
		failed  string
	}{
		{Options{}, []string{line("shop-a", 1), line("shop-b", 2), line("shop-a", 3)}, "[shop-a shop-a shop-b]", ""},
		{Options{Log: "group"}, []string{line("shop-a", 1), line("", 2)}, "[group shop-a]", ""},
		{named, []string{line("shop-a", 1), line("shop-a", 2)}, "[mine mine]", ""},
		{named, []string{line("", 1), line("", 2)}, "[mine mine]", ""},
		{named, []string{line("shop-a", 1), line("shop-b", 2)}, "[mine]", "group has events of shop-a and of shop-b, which are not one arm: leave out --arm, and each function becomes an arm"},
		{Options{}, []string{line("", 1)}, "[]", "group does not name its function: name the arm with --arm"},
	} {
		arms, failed := read(test.options, test.lines...)
		slices.Sort(arms)
		if fmt.Sprint(arms) != test.arms || failed != test.failed {
			t.Errorf("%+v: %v, %q: want %v, %q", test.options.Arm, arms, failed, test.arms, test.failed)
		}
	}
}
