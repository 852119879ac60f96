package measure

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// snapStart returns a server of two functions: a starts on demand, b has SnapStart.
func snapStart(t *testing.T) (*server, []Target) {
	s, ts := newServer(t, "a", "b"), targets("a", "b")
	s.Snapshots = 2
	s.Change("b", func(c *api.Configuration) { c.SnapStart = true })
	s.Run = func(r double.Run) double.Answer {
		answer := double.Working(r)
		time.Sleep(time.Duration(answer.RestoreMs+answer.InitMs+answer.DurationMs) * time.Millisecond / 10)
		answer.RestoreMs, answer.InitMs, answer.DurationMs = answer.RestoreMs/10, answer.InitMs/10, answer.DurationMs/10
		return answer
	}
	ts[1].SnapStart = true
	return s, ts
}

// noVersions fails the test unless all versions have been deleted.
func noVersions(t *testing.T, s *server) {
	t.Helper()
	for _, f := range s.List() {
		if versions, err := s.Versions(f.Name); err != nil || len(versions) != 1 {
			t.Errorf("%s has %d versions, %v", f.Name, len(versions)-1, err)
		}
	}
}

// Each first restore has a version of its own. Warmed restores share versions, and all callers of one come at once.
func TestRestores(t *testing.T) {
	versions := 6 + 2 + 2 // of first restores, of warmed ones, of warm environments
	s, ts := snapStart(t)
	o := options(6, 4)
	o.Burst = 4
	got, out := measure(t, s, ts, o, nil)
	if out.Marked > 0 || len(out.Warnings)+len(out.Unrestored) > 0 {
		t.Errorf("want no marks or warnings: %+v", out)
	}
	if n := Planned(ts, o, nil); len(got) != n {
		t.Errorf("Planned says %d, %d were written", n, len(got))
	}
	count := map[record.Restore]int{}
	for _, r := range got.where(func(r record.Record) bool { return r.Start == record.Cold && r.Marked == "" }) {
		_, restored := r.StartMs()
		if restored != (r.Restore != "") || restored != (r.Arm == "b/zip") {
			t.Errorf("want restores of b only: %+v", r)
		}
		count[r.Restore]++
	}
	if d := cmp.Diff(map[record.Restore]int{"": 6, record.FirstRestore: 6, record.WarmedRestore: 6}, count); d != "" {
		t.Error(d)
	}
	if n := s.Count("PublishVersion"); n != versions {
		t.Errorf("%d versions, want %d", n, versions)
	}
	snapshots := 0
	for _, c := range o.Snapshots() {
		snapshots += c.Versions
	}
	if snapshots != versions {
		t.Errorf("Snapshots says %d versions, want %d", snapshots, versions)
	}
	if s.Widest() != o.Burst {
		t.Errorf("%d at once, want %d", s.Widest(), o.Burst)
	}
	noVersions(t, s)
	restored(t, s)
}

// Ctrl-C comes during one of the calls. Every published version is deleted, also one whose publishing was under way.
func TestInterruptedVersions(t *testing.T) {
	for _, operation := range []string{"PublishVersion", "GetFunctionConfiguration", "Invoke", "DeleteFunction"} {
		for nth := range int64(4) {
			t.Run(fmt.Sprint(operation, nth), func(t *testing.T) {
				t.Parallel()
				s, ts := snapStart(t)
				ctx, stop := context.WithCancel(t.Context())
				var calls atomic.Int64
				s.Before = func(c double.Call) {
					if c.Function == "b" && c.Operation == operation && calls.Add(1) == nth+1 {
						stop()
					}
				}
				var got memory
				out, err := Run(ctx, NewLabClient(s.URL), ts[1:], options(4, 2), nil, &got)
				if err != nil || !out.Interrupted || len(out.Unrestored) > 0 {
					t.Errorf("want an interrupted run that leaves nothing: %+v, %v", out, err)
				}
				noVersions(t, s)
				restored(t, s)
			})
		}
	}
}

// The run deletes its own versions. A version that the user published stays.
func TestVersionsOfOthers(t *testing.T) {
	s, ts := snapStart(t)
	if _, err := s.Publish("b", api.Publication{}); err != nil {
		t.Fatal(err)
	}
	if _, out := measure(t, s, ts, options(2, 0), nil); len(out.Unrestored) > 0 {
		t.Errorf("want nothing left behind: %+v", out)
	}
	versions, err := s.Versions("b")
	if err != nil || !slices.ContainsFunc(versions, func(c api.Configuration) bool { return c.Version == "1" }) || len(versions) != 2 {
		t.Errorf("%d versions, %v", len(versions)-1, err)
	}
}
