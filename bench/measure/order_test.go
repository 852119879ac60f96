package measure

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab/api/double"
)

func TestArmsAreInterleavedAndTheOrderRepeats(t *testing.T) {
	orders := map[string][]string{}
	var firsts []string
	for _, name := range []string{"one", "two"} {
		s := newServer(t, "a", "b", "c", "d")
		got, _ := measure(t, s, targets("a", "b", "c", "d"), options(8, 0), nil)
		for i, r := range got {
			orders[name] = append(orders[name], r.Arm)
			if want := i/4 + 1; r.Round != want || r.Order != i%4+1 {
				t.Fatalf("record %d: round %d order %d", i, r.Round, r.Order)
			}
			if r.Order == 1 {
				firsts = append(firsts, r.Arm)
			}
		}
	}
	if !slices.Equal(orders["one"], orders["two"]) {
		t.Error("the same seed gave two orders")
	}
	slices.Sort(firsts)
	if len(slices.Compact(firsts)) < 3 {
		t.Errorf("all rounds begin with one of %v, want 3 or more arms", slices.Compact(firsts))
	}
}

func TestResumeMeasuresWhatIsLeft(t *testing.T) {
	s := newServer(t, "a", "b")
	whole, _ := measure(t, s, targets("a", "b"), options(3, 4), nil)
	for cut := range whole {
		done := record.Done{}
		for _, r := range whole[:cut] {
			done.Add(&r)
		}
		rest, _ := measure(t, s, targets("a", "b"), options(3, 4), done)
		if want := Planned(targets("a", "b"), options(3, 4), done); len(rest) != want {
			t.Errorf("cut at %d: %d measured, %d planned", cut, len(rest), want)
		}
		for _, r := range rest {
			done.Add(&r)
		}
		want := record.Done{}
		for _, r := range whole {
			want.Add(&r)
		}
		if d := cmp.Diff(want, done); d != "" {
			t.Errorf("cut at %d: %s", cut, d)
		}
	}
}

func TestParallelAcrossFunctionsSerialWithinOne(t *testing.T) {
	s := newServer(t, "a", "b", "c", "d")
	o := options(5, 8)
	o.Parallel = 4
	run, four := s.Run, make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var running atomic.Int64
	s.Run = func(r double.Run) double.Answer {
		if running.Add(1) == 4 {
			close(four)
		}
		select {
		case <-four:
		case <-ctx.Done():
		}
		return run(r)
	}
	got, out := measure(t, s, targets("a", "b", "c", "d"), o, nil)
	if len(got) != 4*(5+2+8) || out.Marked != 0 {
		t.Errorf("%d records, %+v", len(got), out)
	}
	if ctx.Err() != nil {
		t.Error("the four functions were not invoked at the same time")
	}
}
