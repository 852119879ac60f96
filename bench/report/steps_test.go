package report

import (
	"math"
	"testing"
)

// TestSteps: a ladder has a step from each measured function to the next one. If functions between them were not
// measured, one step has all that they add.
func TestSteps(t *testing.T) {
	s := scene{arms: []drawer{lognormal(0.05)}, k: 4, n: 40, factors: []float64{1, 3, 3, 3}}
	for _, c := range []struct {
		functions []string
		steps     []string
		init      []float64 // ms
	}{
		{[]string{"wave", "warmup", "search", "search-concurrent"},
			[]string{"+ SDK, client and a call", "+ eight more calls", "nine calls at once instead of one by one"}, []float64{80, 0, 0}},
		{[]string{"wave", "client", "warmup", "save"}, []string{"+ SDK, client", "+ a call"}, []float64{80, 0}},
		{[]string{"wave", "search", "save", "other"}, []string{"+ SDK, client, a call and eight more calls"}, []float64{80}},
		{[]string{"search-concurrent", "save", "other", "more"}, nil, nil},
	} {
		rep := s.claims(5)
		for i, m := range rep.behind() {
			m.group.bootstrap, m.group.arm, m.group.handler = "go", "go-"+c.functions[i]+"/zip", c.functions[i]
			m.label = m.group.arm
		}
		steps(rep, rep.behind())
		if len(rep.Steps) != len(c.steps) {
			t.Fatalf("%v: %+v", c.functions, rep.Steps)
		}
		for i, step := range rep.Steps {
			g := step.Gains.By(ClockInit)
			if step.Of != "go/zip" || step.Step != c.steps[i] || step.Rung != (step.Step[0] == '+') || math.Abs(g.Ms-c.init[i]) > 4 ||
				g.MsCI[0] > g.Ms || g.MsCI[1] < g.Ms || g.Told != (c.init[i] > 0) || step.Gains.By(ClockFirst) == nil || step.Gains.By(ClockWarm) == nil {
				t.Errorf("%v: %+v", c.functions, step)
			}
		}
	}
}

// TestStepsOfMemory: neighbouring sizes are compared, the smaller with the larger.
func TestStepsOfMemory(t *testing.T) {
	rep := scene{arms: []drawer{lognormal(0.05)}, k: 3, n: 40, factors: []float64{1, 2, 1}}.claims(6)
	for i, m := range rep.behind() {
		m.group.arm, m.group.memory = "go-wave/zip", []int{512, 128, 256}[i]
	}
	steps(rep, rep.behind())
	if len(rep.Steps) != 2 || rep.Steps[0].Step != "128 MB instead of 256" || math.Abs(rep.Steps[0].Gains.By(ClockInit).Ratio-2) > 0.1 || rep.Steps[1].Step != "256 MB instead of 512" {
		t.Errorf("want two steps, of which the first doubles INIT: %+v", rep.Steps)
	}
}
