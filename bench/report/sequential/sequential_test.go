package sequential

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/tools/need"
)

func TestPlanSpendsAlphaAndNoMore(t *testing.T) {
	for _, rounds := range []int{1, 5, 20, 21, 60, 200, 5000} {
		looks := Plan(rounds, 0.05)
		sum, last := 0.0, 0
		for _, l := range looks {
			sum += l.Level
			if l.Round <= last || l.Level <= 0 {
				t.Errorf("%d rounds: %+v", rounds, looks)
			}
			last = l.Round
		}
		if last != rounds || math.Abs(sum-0.05) > 1e-12 {
			t.Errorf("%d rounds: the last look at %d, %v spent", rounds, last, sum)
		}
	}
	// Lan and DeMets 1983: at half of the data Pocock's function spends 0.031 of 0.05.
	if got := spend(0.5, 0.05); math.Abs(got-0.0310) > 5e-5 {
		t.Errorf("want 0.0310 spent: %v", got)
	}
}

// experiment runs a made-up experiment. It returns the round in which the experiment stopped (0 means at its end) and
// its Watch.
func experiment(rng *rand.Rand, rounds int, factors []float64) (stopped int, w *Watch) {
	w = NewWatch(report.ClockInit, rounds, stat.Alpha)
	for round := 1; round <= rounds; round++ {
		for i, f := range factors {
			init := f * math.Exp(3+0.08*rng.NormFloat64())
			if rng.IntN(20) == 0 {
				init *= 2
			}
			init = math.Round(100*init) / 100
			w.Observe(&record.Record{Arm: fmt.Sprint(i), Start: record.Cold, Round: round, InitDurationMs: &init, DurationMs: new(1.0)})
		}
		if w.Enough(round) {
			return round, w
		}
	}
	return 0, w
}

// TestErrorRateIsKept runs experiments without any difference: at most 5 % of them make a claim, whatever the number of
// looks.
func TestErrorRateIsKept(t *testing.T) {
	need.Time(t)
	const times = 400
	for _, arms := range []int{2, 4} {
		rng := rand.New(rand.NewPCG(11, uint64(arms)))
		factors := make([]float64, arms)
		for i := range factors {
			factors[i] = 1
		}
		wrong := 0
		for range times {
			if _, w := experiment(rng, 60, factors); w.told {
				wrong++
			}
		}
		// Two standard errors above 5 %.
		if limit := 0.05 + 2*math.Sqrt(0.05*0.95/times); float64(wrong)/times > limit {
			t.Errorf("%d arms: false claims in %d of %d experiments", arms, wrong, times)
		}
	}
}

func TestClearWinnerEndsTheRunEarly(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 20 {
		stopped, w := experiment(rng, 400, []float64{1.1, 1, 1.3, 1.31})
		if stopped == 0 || stopped > 200 {
			t.Errorf("one arm is 10 %% faster, but the run ended in round %d, want round 200 or earlier", stopped)
		}
		if !w.Stopped || w.Ended != stopped || w.Level != w.looks[w.Looks-1].Level {
			t.Errorf("ended in round %d: %+v", stopped, w.Sequential)
		}
	}
	tie, _ := experiment(rng, 60, []float64{1, 1, 2})
	if tie != 0 {
		t.Error("a tie for the first place ended the run")
	}
}

func TestRecordsThatAreNotSamplesAreNotCounted(t *testing.T) {
	w := NewWatch(report.ClockWait, 40, 0.05)
	w.Observe(&record.Record{Arm: "a", Start: record.Warm, DurationMs: new(1.0)})
	w.Observe(&record.Record{Arm: "a", Start: record.Cold, Marked: record.Priming, ClientDurationMs: new(1.0)})
	if len(w.cold) != 0 {
		t.Errorf("want no cold samples: %v", w.cold)
	}
	w.Observe(&record.Record{Arm: "a", Start: record.Cold, Marked: record.Throttled, ClientDurationMs: new(1.0)})
	w.Observe(&record.Record{Arm: "a", Start: record.Cold, FirstAfterDeploy: true, ClientDurationMs: new(1.0)})
	w.Observe(&record.Record{Arm: "b", Start: record.Cold, Round: 1, ClientDurationMs: new(7.0)})
	if w.Enough(19) || w.Enough(20) || w.Enough(40) {
		t.Error("the run ends although one of the two arms has no samples")
	}
}

// TestResumedRunTakesTheSameLooks observes all records at once, as --resume does: a look must not use records of later
// rounds.
func TestResumedRunTakesTheSameLooks(t *testing.T) {
	whole := NewWatch(report.ClockInit, 60, 0.05)
	resumed := NewWatch(report.ClockInit, 60, 0.05)
	rng := rand.New(rand.NewPCG(3, 3))
	end := 0
	for round := 1; round <= 60; round++ {
		for i, f := range []float64{1, 1.04} {
			r := record.Record{Arm: fmt.Sprint(i), Start: record.Cold, Round: round, InitDurationMs: new(f * math.Exp(0.05*rng.NormFloat64())), DurationMs: new(1.0)}
			resumed.Observe(&r)
			if end == 0 {
				whole.Observe(&r)
			}
		}
		if end == 0 && whole.Enough(round) {
			end = round
		}
	}
	if end == 0 || end == 60 {
		t.Fatalf("the run ended in round %d, but this test needs a run that ends early", end)
	}
	for round := 1; round <= 60; round++ {
		if resumed.Enough(round) {
			if round != end {
				t.Errorf("the run ended in round %d, the resumed run in %d", end, round)
			}
			return
		}
	}
	t.Errorf("the run ended in round %d, the resumed run never", end)
}
