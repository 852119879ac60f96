package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
)

// TestNoWinnerAndWhy: if samples cannot show which arm is faster, the report names no winner and says why.
func TestNoWinnerAndWhy(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 16))
	noise := func() float64 { return math.Exp(0.1 * rng.NormFloat64()) }
	for name, c := range map[string]struct {
		rounds [2][2]int // of each arm: first and last round
		value  func(arm, round int) float64
		want   string
	}{
		"constants":          {[2][2]int{{1, 60}, {1, 60}}, func(a, _ int) float64 { return 20 + 2*float64(a) }, "their values do not vary"},
		"all equal":          {[2][2]int{{1, 60}, {1, 60}}, func(int, int) float64 { return 20 }, "their values do not vary"},
		"ties":               {[2][2]int{{1, 60}, {1, 60}}, func(_, r int) float64 { return 20 + float64(r%2) }, "a tie of 2"},
		"two samples":        {[2][2]int{{1, 2}, {1, 2}}, func(a, _ int) float64 { return (20 + 20*float64(a)) * noise() }, "2 and 2 cold starts are too few to tell 2 arms apart"},
		"one round":          {[2][2]int{{1, 1}, {1, 1}}, func(a, _ int) float64 { return 20 + 20*float64(a) }, "their values do not vary"},
		"other rounds":       {[2][2]int{{1, 60}, {61, 120}}, func(a, _ int) float64 { return (20 + 20*float64(a)) * noise() }, "they share 0 rounds of 60, and other rounds may be of other days"},
		"few rounds shared":  {[2][2]int{{1, 60}, {51, 110}}, func(a, _ int) float64 { return (20 + 20*float64(a)) * noise() }, "they share 10 rounds of 60"},
		"nothing told apart": {[2][2]int{{1, 60}, {1, 60}}, func(int, int) float64 { return 20 * noise() }, "a tie of 2"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := record.NewWriter(&b)
			for a, span := range c.rounds {
				for r := span[0]; r <= span[1]; r++ {
					id := string(rune('a' + a))
					cold := record.Record{Source: record.AWS, Arm: id + "/zip", Bootstrap: id, Package: arm.ZIP, Start: record.Cold, Round: r,
						Architecture: arm.ARM64, MemorySizeMB: 1024, InitDurationMs: new(math.Round(100*c.value(a, r)) / 100), DurationMs: new(1.0)}
					warm := cold
					warm.Start, warm.InitDurationMs, warm.Environment = record.Warm, nil, r%20+1
					cold.BilledDurationMs, warm.BilledDurationMs = new(math.Ceil(*cold.InitDurationMs+1)), new(1.0+float64((r+a)%3))
					if err := errors.Join(w.Write(cold), w.Write(warm)); err != nil {
						t.Fatal(err)
					}
				}
			}
			rep, err := Stream(&b, "test", Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, claim := range rep.Verdict.Claims {
				if claim.Told() {
					t.Errorf("a claim names a winner: %+v", claim)
				}
			}
			if got := claim(t, rep, ClockInit, UsuallyFaster); !strings.Contains(got.Text, c.want) {
				t.Errorf("%q, want %q", got.Text, c.want)
			}
			if later := claim(t, rep, ClockTotal, UsuallyFaster); later.Tested && claim(t, rep, ClockInit, UsuallyFaster).Tested {
				t.Errorf("tested though the primary claim told nothing apart: %+v", later)
			}
			if rep.Cost == nil || len(rep.Cost.Cheapest) == 0 {
				t.Fatal("the report compares no costs")
			}
			for _, k := range rep.Cost.Cheapest {
				if k.Told {
					t.Errorf("an arm is told to be the cheapest, though none is told to be faster: %+v", k)
				}
			}
		})
	}
}

// TestNaNIsNoSample: JSON has no NaN. A record with NaN is named in a warning, and no figure uses it.
func TestNaNIsNoSample(t *testing.T) {
	good := stream(t, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms()[:2], Cold: 20, Seed: 1}).String()
	rep, err := Stream(strings.NewReader(good+`{"schema":1,"source":"aws","arm":"x/zip","start":"cold","initDurationMs":NaN,"durationMs":1}`+"\n"), "test", Options{})
	if err != nil || rep.Unusable != 1 || len(rep.Arms) != 2 || !strings.Contains(strings.Join(rep.Warnings, "\n"), "test:41") {
		t.Errorf("want one unusable line, named in a warning: %v, %+v", err, rep.Warnings)
	}
}

// The claim by the chosen clock is the primary claim and comes first.
func TestThePrimaryClaimComesFirst(t *testing.T) {
	run := recordtest.Run{Source: record.AWS, Arms: recordtest.Arms()[6:9], Cold: 60, Warm: 100, Seed: 1}
	rep := build(t, Options{Primary: ClockWarm}, run)
	c := rep.Verdict.Claims[0]
	if c.Clock != ClockWarm || !c.Primary || !strings.HasPrefix(rep.Verdict.Sequence, `first "usually faster" by warm Duration (the primary claim)`) {
		t.Errorf("want a primary claim by warm Duration: %+v, %s", c, rep.Verdict.Sequence)
	}
	for _, c := range rep.Verdict.Claims[1:] {
		if c.Primary || c.Topic != "folklore" && c.Tested && !rep.Verdict.Claims[0].Told() {
			t.Errorf("want only the first claim primary, and later claims tested only after it told: %+v", c)
		}
	}
}

// TestRanksNeedNoRounds: rank sums compare figures without rounds, for example from logs.
func TestRanksNeedNoRounds(t *testing.T) {
	var b bytes.Buffer
	w := record.NewWriter(&b)
	rng := rand.New(rand.NewPCG(1, 16))
	for i := range 80 {
		for a, ms := range []float64{20, 26} {
			if err := w.Write(record.Record{Source: record.AWS, Arm: fmt.Sprintf("f%d", a), Start: record.Cold, RequestID: fmt.Sprint(i, a),
				InitDurationMs: new(ms * math.Exp(0.2*rng.NormFloat64())), DurationMs: new(1.0)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	rep, err := Stream(&b, "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := rep.Comparisons[0]
	if c.Test != rankSums || !c.Told || c.CI[0] > 1.3 || c.CI[1] < 1.3 || c.N != 80 {
		t.Errorf("want a ratio of 1.3 told by rank sums of 80 values: %+v", c)
	}
}

// TestNoAnswerSaysWhy expects the reason of calls that all went wrong, such as a full disk.
func TestNoAnswerSaysWhy(t *testing.T) {
	r := record.Record{Schema: 1, Source: record.Lab, Arm: "a/zip", Start: record.Cold, Marked: record.NoAnswer.With("no space left")}
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Stream(bytes.NewReader(line), "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Arms[0].LastError != "no space left" || len(rep.Answers) == 0 || rep.Answers[0].Answer != "a/zip: no space left" {
		t.Errorf("last error %q, answers %+v", rep.Arms[0].LastError, rep.Answers)
	}
}
