package report

import (
	"slices"
	"testing"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
)

func TestSamplesAreAllOrAFairChoice(t *testing.T) {
	rep := build(t, Options{Seed: 5}, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:3], Cold: 60, Warm: 50, Seed: 1})
	all := rep.Samples(0)
	for i, s := range all {
		if s.Arm != rep.Arms[i].Arm || len(s.Cold) != 60 || s.Count != 60 {
			t.Errorf("%s: %d cold of %d", s.Arm, len(s.Cold), s.Count)
		}
		if c := s.Cold[6]; c.Round != 7 || c.Wait == nil || c.ReadKiB == nil || c.Init <= 0 || c.First <= 0 {
			t.Errorf("%+v", c)
		}
		if v := rep.Values(s.Arm, ClockTotal); v[6] != s.Cold[6].Init+s.Cold[6].First {
			t.Errorf("%v", v[6])
		}
	}
	few := rep.Samples(20)
	for i, s := range few {
		if len(s.Cold) != 20 || s.Count != 60 || !slices.IsSortedFunc(s.Cold, func(a, b ColdSample) int { return a.Round - b.Round }) {
			t.Errorf("%+v", s)
		}
		for _, c := range s.Cold {
			if c.Init != all[i].Cold[c.Round-1].Init {
				t.Errorf("%+v is not of the run", c)
			}
		}
	}
	hits := make([]int, 10)
	for seed := range uint64(3000) {
		for _, k := range choose(10, 3, seed, 0) {
			hits[k]++
		}
	}
	for k, n := range hits { // 900 each, sd 25
		if n < 780 || n > 1020 {
			t.Errorf("index %d was chosen %d times of 3000", k, n)
		}
	}
}

func TestCurveKeepsTheTail(t *testing.T) {
	rep := build(t, Options{}, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:1], Cold: 500, Seed: 1})
	name := rep.Arms[0].Arm
	if whole := rep.Curve(name, ClockInit, 0); len(whole) != 500 || whole[499].P != 1 {
		t.Errorf("%d points", len(whole))
	}
	c := rep.Curve(name, ClockInit, 100)
	sorted := slices.Sorted(slices.Values(rep.Values(name, ClockInit)))
	if len(c) != 100 || c[0].X != sorted[0] || c[99].X != sorted[499] || c[75].X != sorted[475] {
		t.Errorf("%d points from %v to %v", len(c), c[0], c[len(c)-1])
	}
	if !slices.IsSortedFunc(c, func(a, b Point) int { return int(1e9 * (a.P - b.P)) }) {
		t.Error("not ascending")
	}
	if rep.Curve("absent", ClockInit, 9) != nil || rep.Values(name, ClockWarm) != nil && len(rep.Values(name, ClockWarm)) > 0 {
		t.Error("values out of nothing")
	}
}
