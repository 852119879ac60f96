package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/record"
)

// restores returns n starts of an on-demand arm, and n restores of each kind of another arm, round by round.
func restores(source record.Source, n int) string {
	var b strings.Builder
	for round := 1; round <= n; round++ {
		at := func(arm, fields string) {
			fmt.Fprintf(&b, `{"schema":1,"runId":"r","source":%q,"region":%q,"arm":%q,"bootstrap":"go","package":"image","architecture":"arm64","memorySizeMB":1024,"round":%d,"start":"cold","durationMs":%d,"billedDurationMs":%d,%s}`+"\n",
				source, map[record.Source]string{record.AWS: "us-east-1"}[source], arm, round, 10+round%3, 11+round%3, fields)
		}
		at("go/image", fmt.Sprintf(`"initDurationMs":%d`, 100+round%5))
		at("go/image-unprimed", fmt.Sprintf(`"restore":"first","restoreDurationMs":%d,"billedRestoreDurationMs":20`, 700+round%5))
		at("go/image-unprimed", fmt.Sprintf(`"restore":"warmed","restoreDurationMs":%d,"billedRestoreDurationMs":20`, 300+round%5))
		at("go/image-unprimed", fmt.Sprintf(`"restore":"warmed","initDurationMs":%d,"marked":%q`, 100+round%5, record.NotRestored))
	}
	return b.String()
}

// First and warmed restores are two arms. By INIT neither is compared with the on-demand arm. The primary claim is by
// the clock that all arms have in common.
func TestTwoKindsOfRestore(t *testing.T) {
	rep, err := Stream(strings.NewReader(restores(record.AWS, 20)), "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range rep.Arms {
		got = append(got, fmt.Sprintf("%s %d %.0f", a.Arm, a.InitCount, *a.P50))
	}
	slices.Sort(got)
	if want := []string{"go/image 20 102", "go/image-unprimed (first restore) 20 702", "go/image-unprimed (warmed restore) 20 302"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, c := range rep.Verdict.Claims {
		if c.Primary != (c.Clock == ClockTotal && c.At == UsuallyFaster) || c.Clock == ClockInit && c.Tested {
			t.Errorf("claim %+v", c)
		}
	}
	for _, a := range rep.Arms {
		if strings.Contains(a.Arm, "restore") {
			// Lambda bills 12 ms of Duration on average and 20 ms of the restore, at 0.0000133334 a GB-second. It bills
			// 0.0001397998 for the GB that is restored.
			if want := 32.0/1000*0.0000133334 + 0.0000002 + 0.0001397998; a.ColdCost == nil || math.Abs(*a.ColdCost-1e6*want) > 0.1 {
				t.Errorf("%s costs %v a million, want %.3f", a.Arm, *a.ColdCost, 1e6*want)
			}
		}
		if strings.Contains(a.Arm, "warmed") && a.SetApart[string(record.NotRestored)] != 20 {
			t.Errorf("set apart: %v", a.SetApart)
		}
	}
}

// No restore in the lab enters an average, because the lab makes no snapshots.
func TestNoRestoreInTheLab(t *testing.T) {
	rep, err := Stream(strings.NewReader(restores(record.Lab, 8)), "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(rep.Warnings, "\n"); strings.Count(text, "8 "+NoRestoreHere) != 1 || !strings.Contains(text, "16 "+NoRestoreHere) {
		t.Errorf("warnings: %s", text)
	}
	for _, a := range rep.Arms {
		if strings.Contains(a.Arm, "restore") != (a.InitCount == 0) {
			t.Errorf("%s has %d starts", a.Arm, a.InitCount)
		}
	}
}
