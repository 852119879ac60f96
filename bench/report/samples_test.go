package report

import (
	"slices"
	"testing"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
)

func TestSamplesAreAllOrAFairChoice(t *testing.T) {
	rep := build(t, Options{Seed: 5}, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:3], Cold: 60, Warm: 50, Seed: 1})
	for _, a := range rep.Arms {
		all, few := a.ColdSamples(0), a.ColdSamples(20)
		if len(all) != 60 || len(few) != 20 || !slices.IsSortedFunc(few, func(a, b ColdSample) int { return a.Round - b.Round }) {
			t.Errorf("%s: %d cold, a choice of %d: %+v", a.Arm, len(all), len(few), few)
		}
		if c := all[6]; c.Round != 7 || c.Wait == nil || c.Init <= 0 || c.First <= 0 {
			t.Errorf("want the sample of round 7: %+v", c)
		}
		if v := a.Sample(ClockTotal).InOrder(); v[6] != all[6].Init+all[6].First {
			t.Errorf("want the sum of INIT and the first Duration: %v", v[6])
		}
		for _, c := range few {
			if c.Init != all[c.Round-1].Init {
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
	a := rep.Arms[0]
	if whole := a.Curve(ClockInit, 0); len(whole) != 500 || whole[499].P != 1 {
		t.Errorf("%d points", len(whole))
	}
	c := a.Curve(ClockInit, 100)
	sorted := a.Sample(ClockInit).Values()
	if len(c) != 100 || c[0].X != sorted[0] || c[99].X != sorted[499] || c[75].X != sorted[475] {
		t.Errorf("%d points from %v to %v", len(c), c[0], c[len(c)-1])
	}
	if !slices.IsSortedFunc(c, func(a, b Point) int { return int(1e9 * (a.P - b.P)) }) {
		t.Error("the points of the curve are not in ascending order")
	}
	if none := new(Arm); none.Curve(ClockInit, 9) != nil || a.Sample(ClockWarm).N() > 0 || none.Sample(ClockInit).N() > 0 || len(none.ColdSamples(0)) > 0 {
		t.Error("an arm without samples has values")
	}
}
