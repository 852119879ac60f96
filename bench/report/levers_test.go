package report

import (
	"math"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/tools/need"
)

// pull makes the arms of a simulated report the baseline, its twin, and levers.
func pull(rep *Report) *Levers {
	id := arm.Identity{Arm: "a/zip"}
	all := rep.behind()
	for i, m := range all {
		m.row = &Arm{}
		switch i {
		case 0:
			m.group.lever = arm.Baseline
		case 1:
			m.group.lever = arm.Twin
		default:
			m.group.lever, m.group.level = "memory", string(rune('a'+i))
		}
		m.label = id.Pulled(m.group.lever, m.group.level).Arm
	}
	newBuilder(Options{}).levers(rep, all)
	return &rep.Levers[0]
}

// told says whether any lever, or the null twin, is told apart by any clock.
func told(rep *Report) bool {
	for _, l := range pull(rep).Rows {
		for _, g := range l.Gains {
			if g.Told {
				return true
			}
		}
	}
	return false
}

// TestFalseLevers counts reports that tell a lever apart where none does anything: 5 % of them, by whatever clock.
func TestFalseLevers(t *testing.T) {
	need.Time(t)
	times := 150
	if *simulate > 0 {
		times = *simulate
	}
	table, sum, n := newTable("levers that do nothing", "told apart in %"), 0.0, 0.0
	for i, s := range same() {
		if *simulate == 0 && i%3 > 0 {
			continue
		}
		s.k, s.n = 12, 60
		wrong := s.count(times, told)[0]
		if *simulate > 0 && wrong > 0.06+2*math.Sqrt(0.05*0.95/float64(times)) {
			t.Errorf("%s: a lever is told apart in %.1f %% of reports", s.name, 100*wrong)
		}
		table.add(s.name, share(wrong))
		sum, n = sum+wrong, n+1
	}
	table.print(t)
	if got := sum / n; got > 0.075 { // two standard errors of 600 reports above 5 %
		t.Errorf("a lever that does nothing is told apart in %.1f %% of reports", 100*got)
	}
}

// TestLevers: a lever that takes a fifth off INIT is the answer, with what it is worth, and the null twin does nothing.
func TestLevers(t *testing.T) {
	s := scene{arms: []drawer{lognormal(0.1)}, k: 4, n: 60, factors: []float64{1, 1, 0.8, 1.2}}
	l := pull(s.claims(3))
	if len(l.Rows) != 3 || l.Rows[0].Lever != arm.Twin || l.Rows[0].Gains.By(ClockTotal).Told || !l.Rows[1].Gains.By(ClockTotal).Told || !l.Rows[2].Gains.By(ClockInit).Told {
		t.Errorf("%+v", l.Rows)
	}
	a := l.answer()
	if !strings.HasPrefix(a.Answer, "the best next lever for a/zip is memory c, worth ") || a.Sure != toldApart || math.Abs(*a.Ratio-0.8) > 0.06 {
		t.Errorf("%+v", a)
	}
	s.factors = nil
	if a := pull(s.claims(3)).answer(); !strings.HasPrefix(a.Answer, "none of these: ") {
		t.Errorf("%+v", a)
	}
}

// Sizes are levers: the first one that is told longer is the threshold, in an interval.
func TestSizes(t *testing.T) {
	s := scene{arms: []drawer{lognormal(0.05)}, k: 6, n: 60, factors: []float64{1, 1, 1, 1, 1.2, 1.5}}
	rep := s.claims(3)
	pull(rep)
	for i, level := range []string{"", "", "5", "10", "25", "50"} {
		if i > 1 {
			group := rep.behind()[i].group
			group.lever, group.level = "size", level
		}
	}
	rep.Levers = nil
	newBuilder(Options{}).levers(rep, rep.behind())
	if got := rep.Levers[0].Text; !strings.HasPrefix(got, "INIT is told to grow from 25 MB on: +2") || strings.Contains(got, "only AWS") {
		t.Error(got)
	}
	l := Levers{Source: "lab", Rows: rep.Levers[0].Rows[:3]}
	if got := l.sizes(); !strings.HasPrefix(got, "INIT is not told to grow with up to 10 MB") || !strings.HasSuffix(got, "only AWS can say how long that takes") {
		t.Error(got)
	}
}
