package power

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// pair returns a server on which F has arm64, and G has x86_64 and takes twice as long.
func pair(t *testing.T) *server {
	s := newServer(t)
	s.Change("G", func(c *api.Configuration) { c.Architecture = "x86_64" })
	s.answer(func(r double.Run) double.Answer {
		if r.Name == "F" {
			return double.Working(r)
		}
		return double.Answer{DurationMs: 200 / min(1, float64(r.MemorySizeMB)/1769), UsedMB: 60}
	})
	return s
}

func candidates(t *testing.T, text string) []Candidate {
	var out []Candidate
	for _, name := range []string{"F", "G"} {
		in, err := ParseInput([]byte(text), Defaults{Function: name})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Candidate{Name: "arm of " + name, Input: in})
	}
	return out
}

func TestSweep(t *testing.T) {
	s := pair(t)
	tuner := tuner(s)
	tuner.Seed = 7
	out, err := tuner.Sweep(t.Context(), candidates(t, `{"num": 10, "powerValues": [128, 512, 1769], "strategy": "speed"}`), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	s.untouched(t)
	if out.Best.Name != "arm of F" || out.Best.Power != 1769 || out.Best.Architecture != "arm64" || len(out.Functions) != 2 || out.Functions[1].Architecture != "x86_64" {
		t.Errorf("want the arm of F at 1769 MB on arm64: %+v", out.Best)
	}
	// x86_64 costs more and takes longer: 2 x 16.67 / 13.33.
	const fee = 2e-7
	if a, b := out.Functions[0].ByPowerValue[0], out.Functions[1].ByPowerValue[0]; math.Abs((b.AveragePrice-fee)/(a.AveragePrice-fee)-2.5) > 0.01 {
		t.Errorf("prices %v and %v", a.AveragePrice, b.AveragePrice)
	}
	curves, err := ParseVisualization(out.Visualization)
	if err != nil || len(curves) != 2 || curves[1].Name != "arm of G" || !slices.Equal(curves[0].Sizes, []int16{128, 512, 1769}) || curves[1].Times[2] != 200 {
		t.Errorf("want a curve for each function: %+v, %v", curves, err)
	}
	var b bytes.Buffer
	if err := out.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/sweep.txt", b.Bytes())
	// Functions take turns: neither is more than a round of 3 invocations ahead.
	n := 0
	for _, c := range s.Calls() {
		switch {
		case c.Operation != "Invoke":
		case c.Function == "F":
			n++
		default:
			n--
		}
		if n > 3 || n < -3 {
			t.Fatalf("F is %d invocations ahead of G", n)
		}
	}
}

// One function on both architectures: each has its own best memory size. The recommendation says by how much the two
// differ, and whether their medians can be told apart.
func TestArchitectures(t *testing.T) {
	for want, slower := range map[string]float64{"cost -58 %, duration -50 %; median durations are told apart": 2, "cost -19 %, duration +0 %; median durations cannot be told apart": 1} {
		s := pair(t)
		s.answer(func(r double.Run) double.Answer {
			a := double.Working(r)
			if r.Architecture == "x86_64" {
				a.DurationMs *= slower
			}
			return a
		})
		out, err := tuner(s).Sweep(t.Context(), candidates(t, `{"num": 10, "powerValues": [128, 512, 1769], "strategy": "speed"}`), "run-1")
		if err != nil || !strings.Contains(out.Recommendation, "arm64 (arm of F at 1769 MB) against x86_64 (arm of G at 1769 MB): "+want) || out.Best.Architecture != "arm64" {
			t.Errorf("%v: got %v, %v", slower, out, err)
		}
	}
}

func TestSweepOfFunctionsThatFail(t *testing.T) {
	s := pair(t)
	tuner := tuner(s)
	broken := map[string]bool{"G": true}
	s.answer(func(r double.Run) double.Answer {
		if broken[r.Name] {
			return double.Answer{DurationMs: 1, FunctionError: `{"errorType":"E"}`}
		}
		return double.Working(r)
	})
	in := candidates(t, `{"num": 5, "powerValues": [128, 512]}`)
	out, err := tuner.Sweep(t.Context(), in, "run-1")
	if err != nil || len(out.Functions) != 1 || len(out.Failed) != 1 || !strings.Contains(out.Failed[0], "arm of G") || out.Best.Name != "arm of F" {
		t.Errorf("want the result of F, and that G failed: %+v, %v", out, err)
	}
	broken["F"] = true
	if _, err := tuner.Sweep(t.Context(), in, "run-2"); !errors.Is(err, ErrNothingMeasured) {
		t.Errorf("want ErrNothingMeasured: %v", err)
	}
	if _, err := tuner.Sweep(t.Context(), []Candidate{in[0], in[0]}, "run-3"); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("want an error about the same function twice: %v", err)
	}
	s.untouched(t)
}
