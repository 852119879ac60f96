package report

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
	"github.com/twinstart/twinstart/bench/report/price"
)

func TestCostIsALineInTheShareOfColdStarts(t *testing.T) {
	run := recordtest.Run{Source: record.AWS, Arms: recordtest.Arms(), Cold: 30, Warm: 100, Seed: 1}
	at := func(share float64) *Cost { return build(t, Options{ColdShare: &share}, run).Cost }
	none, half, all := at(0), at(0.5), at(1)
	if none.ColdShare != 0 || len(none.Arms) != len(recordtest.Arms()) {
		t.Fatalf("%v, %d arms", none.ColdShare, len(none.Arms))
	}
	for _, a := range half.Arms {
		if want := (a.Cold + a.Warm) / 2; math.Abs(a.USD-want) > 2e-6 {
			t.Errorf("%s: %v USD if half of the starts are cold, want %v", a.Arm, a.USD, want)
		}
	}
	if none.Arms[0].USD != none.Arms[0].Warm || all.Arms[0].USD != all.Arms[0].Cold {
		t.Errorf("want the warm cost at a share of 0 and the cold cost at 1: %+v %+v", none.Arms[0], all.Arms[0])
	}
	pays := 0
	for _, a := range at(DefaultColdShare).Arms {
		if a.ProvisionedBusy == nil {
			continue
		}
		// Without cold starts it is 0.6. Cold starts make it smaller, because provisioned concurrency has none.
		if pays++; *a.ProvisionedBusy < 0.3 || *a.ProvisionedBusy > 1 {
			t.Errorf("%s: provisioned concurrency pays when busy %v of the time", a.Arm, *a.ProvisionedBusy)
		}
	}
	if pays == 0 {
		t.Error("no arm has a break-even with provisioned concurrency")
	}
}

func TestProvisionedConcurrencyBreaksEvenAtSixtyPercentBusy(t *testing.T) {
	// Without cold starts and requests the share of the time is provisioned / (on demand - duration) =
	// 4.1667 / (16.6667 - 9.7222) = 0.6.
	for _, a := range []arm.Architecture{arm.X8664, arm.ARM64} {
		r, _ := price.Default().Rate("us-east-1", a)
		usd := 1e6 * r.Invocation(512, 100)
		c := ArmCost{Warm: usd, USD: usd}
		if c.provision(r); c.ProvisionedBusy == nil || math.Abs(*c.ProvisionedBusy-0.6) > 1e-3 {
			t.Errorf("%s: busy %+v of the time", a, c.ProvisionedBusy)
		}
		r.Provisioned, c.ProvisionedBusy = 0, nil
		if c.provision(r); c.ProvisionedBusy != nil {
			t.Error("there is a break-even although the price is not known")
		}
	}
}

// If the first claim tells nothing apart, costs are not compared. The report still names the lowest cost.
func TestCostOfATie(t *testing.T) {
	arms := slices.Repeat(recordtest.Arms()[:1], 2)
	arms[1].Bootstrap = "the-same"
	got := build(t, Options{}, recordtest.Run{Source: record.AWS, Arms: arms, Cold: 30, Warm: 100, Seed: 1}).Cost.Cheapest
	if len(got) != 1 || got[0].Told || !strings.HasPrefix(got[0].Text, "too close to tell: ") || !strings.HasSuffix(got[0].Text, " USD a million") {
		t.Errorf("want one answer that is too close to tell: %+v", got)
	}
}

// Logs show the share of cold starts in real traffic. A run makes as many cold starts as it was asked for, so its share
// does not count.
func TestColdShareIsThatOfRealTraffic(t *testing.T) {
	for _, c := range []struct {
		round int
		want  float64
	}{{0, 0.05}, {1, DefaultColdShare}} {
		b := newBuilder(Options{})
		for i := range 100 {
			r := &record.Record{Source: record.AWS, Arm: "api", Start: record.Warm, DurationMs: new(2.0), Round: c.round}
			if i%20 == 0 {
				r.Start, r.InitDurationMs = record.Cold, new(200.0)
			}
			b.add(r, "made up")
		}
		if got := b.coldShare(); got != c.want {
			t.Errorf("round %d: costs are shown for %v of invocations cold, want %v", c.round, got, c.want)
		}
	}
}

func TestBreakEvenIsWhereTheCheapestChanges(t *testing.T) {
	arms := []*ArmCost{{Arm: "never", Cold: 40, Warm: 4}, {Arm: "warm", Cold: 50, Warm: 1}, {Arm: "middle", Cold: 20, Warm: 2}, {Arm: "cold", Cold: 10, Warm: 9}}
	got := envelope(arms)
	want := []BreakEven{{Arm: "warm", Than: "middle", ColdShare: Round(1.0 / 31), of: [2]int{1, 2}}, {Arm: "middle", Than: "cold", ColdShare: Round(7.0 / 17), of: [2]int{2, 3}}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if envelope(arms[:1]) != nil || envelope(nil) != nil {
		t.Error("there is a break-even with fewer than two arms")
	}
}

func TestPerformanceIndex(t *testing.T) {
	run := recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:6], Cold: 60, Warm: 100, Seed: 1}
	rep := build(t, Options{}, run)
	worst := 0
	for _, i := range rep.Index {
		if i.Index < 1 || i.CI[0] > i.Index || i.CI[1] < i.Index || i.Functions != 1 {
			t.Errorf("want an index of 1 or more within its interval: %+v", i)
		}
		if i.Index == 1 && i.Clock == ClockInit {
			worst++
			if i.CI != [2]float64{1, 1} {
				t.Errorf("the slowest arm has an index of 1 and an interval from 1 to 1: %+v", i)
			}
		}
		if i.Clock == ClockInit {
			slowest := find(t, rep, rep.Arms[len(rep.Arms)-1].Arm)
			if want := *slowest.P50 / *find(t, rep, i.Arm).P50; math.Abs(i.Index-want) > 1e-4 {
				t.Errorf("%s: %v, want %v", i.Arm, i.Index, want)
			}
		}
	}
	if worst != 1 || len(rep.Index) != 4*6 {
		t.Errorf("%d slowest arms, want 1; %d rows, want %d", worst, len(rep.Index), 4*6)
	}
	two := build(t, Options{}, run, withHandler(run))
	mean := map[string]float64{}
	for _, i := range two.Index {
		if i.Functions != map[bool]int{true: 2, false: 1}[i.Function == ""] {
			t.Errorf("want the number of functions of the index: %+v", i)
		}
		key := i.Arm + string(i.Clock)
		if i.Function == "" {
			mean[key] = i.Index * i.Index
		} else {
			mean[key] /= i.Index
		}
	}
	for key, rest := range mean { // the square of the mean of two functions' indices, divided by both
		if math.Abs(rest-1) > 1e-3 {
			t.Errorf("%s: the mean is not that of its functions' indices: %v, want 1", key, rest)
		}
	}
	if len(mean) != 4*6 {
		t.Errorf("want 24 means: %v", mean)
	}
}

func withHandler(r recordtest.Run) recordtest.Run {
	r.Handler, r.Seed = "cpu", 9
	return r
}

// TestIndexOfManagedRuntimes: one index has the languages with stand-ins for runtimes, and those with their own runtime.
func TestIndexOfManagedRuntimes(t *testing.T) {
	rep := scene{arms: []drawer{lognormal(0.05)}, k: 3, n: 30, factors: []float64{1, 2, 4}}.claims(2)
	all := rep.behind()
	for i, m := range all {
		m.group.standIn = []string{"", "stand-in: node", "stand-in: Python"}[i]
		m.group.handler = "wave"
	}
	for _, clock := range allClocks {
		draw(all, clock, 0.5, 1)
	}
	newBuilder(Options{}).index(rep, all)
	if len(rep.Index) != 3*4 || math.Abs(rep.Index[0].Index-4) > 0.3 {
		t.Errorf("want 12 rows, the first with an index of 4: %+v", rep.Index)
	}
}
