package report

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/tools/need"
)

// pull turns the arms of a simulated report into the baseline, its twin and levers.
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

// told reports whether any lever, or the null twin, is told apart by any clock.
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

// TestFalseLevers counts reports that tell a lever apart although no lever has an effect: about 5 % over all clocks.
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

// TestLevers: a lever that makes INIT a fifth shorter is the answer, with its gain. The null twin has no effect.
func TestLevers(t *testing.T) {
	s := scene{arms: []drawer{lognormal(0.1)}, k: 4, n: 60, factors: []float64{1, 1, 0.8, 1.2}}
	l := pull(s.claims(3))
	if len(l.Rows) != 3 || l.Rows[0].Lever != arm.Twin || l.Rows[0].Gains.By(ClockTotal).Told || !l.Rows[1].Gains.By(ClockTotal).Told || !l.Rows[2].Gains.By(ClockInit).Told {
		t.Errorf("want both levers told, and the twin not: %+v", l.Rows)
	}
	a := l.answer()
	if !strings.HasPrefix(a.Answer, "the best next lever for a/zip is memory c: ") || a.Sure != toldApart || math.Abs(*a.Ratio-0.8) > 0.06 {
		t.Errorf("want memory c as the best lever, with a ratio of 0.8: %+v", a)
	}
	s.factors = nil
	if a := pull(s.claims(3)).answer(); !strings.HasPrefix(a.Answer, "no lever is shown to cut latency; no lever is shown to cut cost") {
		t.Errorf("want no best lever: %+v", a)
	}
}

// Sizes are levers: the threshold is the smallest size whose INIT is told to be longer.
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
	if got := rep.Levers[0].Text; !strings.HasPrefix(got, "INIT grows from 25 MB on: +2") || strings.Contains(got, "only AWS") {
		t.Error(got)
	}
	l := Levers{Source: "lab", Rows: rep.Levers[0].Rows[:3]}
	if got := l.sizes(); !strings.HasPrefix(got, "INIT is not shown to grow up to 10 MB") || !strings.HasSuffix(got, "only AWS can say how long they take") {
		t.Error(got)
	}
}

// The lab's own work before INIT depends on the files. So it compares the waits of callers only between arms with the
// same files: laidOut reports that the files differ.
func TestCallersOfTheLab(t *testing.T) {
	base := group{identity: identity{source: record.Lab}, lever: arm.Baseline, sizeBytes: 10}
	for _, c := range []struct {
		change func(*group)
		want   bool
	}{
		{func(g *group) { g.lever, g.level = "memory", "3008" }, false},
		{func(g *group) { g.lever, g.level = "extension", "internal" }, false},
		{func(g *group) { g.lever, g.level = "extension", "external" }, true},
		{func(g *group) { g.lever, g.level = "layers", "five" }, true},
		{func(g *group) { g.lever, g.level, g.sizeBytes = arm.Code, "bundled", 9 }, true},
		{func(g *group) { g.source, g.sizeBytes = record.AWS, 9 }, false},
	} {
		g := base
		c.change(&g)
		if got := laidOut(&g, &base); got != c.want {
			t.Errorf("%s %s: %v", g.lever, g.level, got)
		}
	}
}

// Even if rounds depend on each other, the interval of a difference in ms is between the smallest and the largest
// difference that was seen.
func TestDistanceOfDependentRounds(t *testing.T) {
	slow, fast := make([]float64, 30), make([]float64, 30)
	for i := range slow {
		slow[i] = 850 + 40*float64(i/10) // ten equal rounds, three times
	}
	x := &measured{group: &group{}, rounds: map[Clock][]float64{ClockInit: slow}}
	y := &measured{group: &group{}, rounds: map[Clock][]float64{ClockInit: fast}}
	if got := distance(x, y, ClockInit); got.CI.Lo < 850 || got.CI.Hi > 930 || got.CI.Lo >= got.CI.Hi {
		t.Errorf("want an interval within 850 to 930: %+v", got)
	}
}

// A load on provisioned environments: requests that spilled over are counted, an INIT that no caller waited for is not
// a cold start, and both break-even points follow from the prices.
func TestProvisionedUnderLoad(t *testing.T) {
	var b bytes.Buffer
	w := record.NewWriter(&b)
	id := arm.Identity{Arm: "a/zip", Package: arm.ZIP, Architecture: arm.X8664, MemorySizeMB: 1024}
	for i, lever := range []arm.Identity{id.Pulled(arm.Baseline, ""), id.Pulled("provisioned", "1")} {
		// On demand, one in 120 requests is cold. Provisioned, one is ahead, one spills over cold, and 10 spill over after it.
		for n := range 720 {
			repeat, at := n/120+1, float64(100*(n%120))
			r := record.Record{Schema: 1, Source: record.AWS, Round: repeat, Start: record.Warm, DurationMs: new(10.0), BilledDurationMs: new(10.0), RequestID: fmt.Sprint(i, n),
				LogStream: fmt.Sprint(i, repeat), Load: &record.Arrival{Of: "ramp", IntendedMs: at, SentMs: &at}}
			r.Identify(lever)
			wait := 11.0
			if i == 1 {
				r.InitializationType = record.ProvisionedConcurrency
			}
			switch k := n % 120; {
			case k == 0:
				r.Start, r.InitDurationMs = record.Cold, new(400.0)
				wait += 400 * float64(1-i)
			case k >= 60 && k <= 70 && i == 1:
				r.InitializationType, r.LogStream = record.OnDemand, r.LogStream+"new"
				if k == 60 {
					r.Start, r.InitDurationMs, wait = record.Cold, new(200.0), 211
				}
			}
			r.ClientDurationMs, r.Load.DoneMs = &wait, new(at+wait)
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	rep, err := Stream(&b, "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range rep.Arms {
		want := (*Ahead)(nil)
		if strings.Contains(a.Arm, "provisioned") {
			want = &Ahead{Environments: 6, Init: new(400.0), Spilled: 66}
		}
		if d := cmp.Diff(want, a.Load.Ahead); d != "" || a.Load.Cold != 6 {
			t.Errorf("%s: %d cold, %s", a.Arm, a.Load.Cold, d)
		}
	}
	row := rep.Levers[0].Rows[0]
	const hour = 3600 * 0.0000041667
	if math.Abs(*row.Hour-hour) > 1e-6 || row.ColdShare == nil || math.Abs(*row.ColdShare-0.053) > 0.002 {
		t.Fatalf("want the price of an hour and a cold share of 0.053: %+v", row)
	}
	last := rep.Answers[len(rep.Answers)-1].Answer
	for _, part := range []string{"provisioned 1: p99 11.00 ms, on demand 11.00 ms; 66 of 720 requests spilled over (9.2 %)", "6 INITs before a caller came took 400.0 ms at the median, without", "0.0150 USD an hour", "31 % of the time", "5.2 % are cold (guides say 20 %)"} {
		if !strings.Contains(last, part) {
			t.Errorf("%q lacks %q", last, part)
		}
	}
}
