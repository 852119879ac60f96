package plan

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

func pilot(t *testing.T, run recordtest.Run) *report.Report {
	t.Helper()
	var b bytes.Buffer
	w := record.NewWriter(&b)
	for r := range run.Records() {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := report.Stream(&b, "pilot", report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestPlannedNumberSeesTheEffect plans an experiment and runs it many times with made-up arms. It detects the effect as
// often as the plan says.
func TestPlannedNumberSeesTheEffect(t *testing.T) {
	rep := pilot(t, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:2], Cold: 400, Seed: 1})
	for _, effect := range []float64{0.03, 0.1} {
		p, err := Make(rep, Options{Effect: effect, Power: 0.8})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Arms) == 0 {
			t.Fatal("the plan has no arms")
		}
		for _, a := range p.Arms {
			x, y := rep.Arms[0].Sample(report.ClockInit).InOrder(), rep.Arms[1].Sample(report.ClockInit).InOrder()
			rng := rand.New(rand.NewPCG(7, 7))
			d := make([]float64, len(x))
			for i := range d {
				d[i] = math.Log(x[i] / y[i])
			}
			middle, _ := stat.Paired(d, stat.Alpha, stat.Dependence{})
			ratios := func() []float64 { // of two arms like the pilot's, within rounds; one is slower by the effect
				out := make([]float64, *a.Needed)
				for i := range out {
					out[i] = d[rng.IntN(len(d))] - middle.Estimate + math.Log(1+effect)
				}
				return out
			}
			const times = 1500
			seen := 0
			for range times {
				if s, _ := stat.Paired(ratios(), p.Level, stat.Dependence{}); s.Told {
					seen++
				}
			}
			// If few cold starts are needed, one more changes the power much.
			if got := float64(seen) / times; got < 0.75 || got > 0.85 && *a.Needed > 15 {
				t.Errorf("%s, %v: %d cold starts see it in %.3f of runs, planned 0.8", a.Arm, effect, *a.Needed, got)
			}
		}
	}
}

func TestPlanCountsCostsAndTime(t *testing.T) {
	rep := pilot(t, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms()[:6], Cold: 60, Seed: 1})
	p, err := Make(rep, Options{Effect: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for _, a := range p.Arms {
		most = max(most, *a.Needed)
		if a.Pilot != 60 || a.Power < 0 || a.Power > 1 {
			t.Errorf("want a pilot of 60 and a power from 0 to 1: %+v", a)
		}
	}
	if p.Pairs != 15 || p.Rounds != most || p.ColdStarts != 6*most || p.Power != 0.8 || p.Alpha != 0.05 {
		t.Errorf("want the plan of 6 arms: %+v", p)
	}
	usd := 0.0
	for _, a := range rep.Arms {
		usd += *a.ColdCost / 1e6 * float64(most)
	}
	if p.USD == nil || math.Abs(*p.USD-usd) > 1e-9 || p.Seconds == nil || math.Abs(*p.Seconds-0.03*float64(6*most)) > 1e-6 {
		t.Errorf("%v USD, want %v; %v s", *p.USD, usd, *p.Seconds)
	}
	smaller, err := Make(rep, Options{Effect: 0.02})
	if err != nil || smaller.Rounds <= 4*p.Rounds {
		t.Errorf("a smaller effect needs more: %d against %d, %v", smaller.Rounds, p.Rounds, err)
	}
	p.Subject = "'*/zip'"
	command := fmt.Sprintf("\ntwinstart run --cold %d --source aws '*/zip'\nmeasures %d cold starts of 6 arms in ", p.Rounds, p.ColdStarts)
	if text := p.Text(); !strings.Contains(text, command) {
		t.Error(text)
	}
	none, err := Make(rep, Options{Effect: 0.00001})
	if err != nil || none.Rounds != 0 || none.USD != nil {
		t.Errorf("want no rounds and no price for an effect that is too small: %+v %v", none, err)
	}
	if text := none.Text(); !strings.Contains(text, "No plan") {
		t.Error(text)
	}
}

func TestPlanRefuses(t *testing.T) {
	rep := pilot(t, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms()[:2], Cold: 60, Seed: 1})
	small := pilot(t, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms()[:2], Cold: 3, Seed: 1})
	for name, test := range map[string]struct {
		rep  *report.Report
		o    Options
		want string
	}{
		"no effect":     {rep, Options{}, "effect"},
		"NaN effect":    {rep, Options{Effect: math.NaN()}, "effect"},
		"power of 1":    {rep, Options{Effect: 0.1, Power: 1}, "power"},
		"alpha of 2":    {rep, Options{Effect: 0.1, Alpha: 2}, "alpha"},
		"no pilot":      {small, Options{Effect: 0.1}, "measure a pilot first"},
		"no such clock": {rep, Options{Effect: 0.1, Clock: report.ClockWarm}, "no arm has"},
		"no such arm":   {rep, Options{Effect: 0.1, Arms: []string{"x"}}, "no arm has"},
	} {
		if _, err := Make(test.rep, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
