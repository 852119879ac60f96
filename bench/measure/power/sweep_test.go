package power

import (
	"bytes"
	"errors"
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// pair is two functions, F on arm64 and, twice as slow, G on x86_64, behind one endpoint.
func pair(t *testing.T) (t1 *Tuner, f, g *server) {
	f, g = newServer(t), newServer(t)
	g.name, g.architecture = "G", "x86_64"
	g.report = func(c config, _ string, _ bool) reply {
		return reply{duration: 200 / min(1, float64(c.Memory)/1769), used: 60}
	}
	both := httptest.NewServer(byFunction{f, g})
	t.Cleanup(both.Close)
	t1 = tuner(f)
	t1.Lambda = clientOf(both.URL)
	return t1, f, g
}

func candidates(t *testing.T, text string) []Candidate {
	var out []Candidate
	for _, name := range []string{"F", "G"} {
		in, err := ParseInput([]byte(text), Defaults{Function: name})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Candidate{"arm of " + name, in})
	}
	return out
}

func TestSweep(t *testing.T) {
	tuner, f, g := pair(t)
	tuner.Seed = 7
	out, err := tuner.Sweep(t.Context(), candidates(t, `{"num": 10, "powerValues": [128, 512, 1769], "strategy": "speed"}`), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	f.untouched(t)
	g.untouched(t)
	if out.Best.Name != "arm of F" || out.Best.Power != 1769 || out.Best.Architecture != "arm64" || len(out.Functions) != 2 || out.Functions[1].Architecture != "x86_64" {
		t.Errorf("got %+v", out.Best)
	}
	// x86_64 costs more and takes longer: 2 x 16.67 / 13.33.
	const fee = 2e-7
	if a, b := out.Functions[0].ByPowerValue[0], out.Functions[1].ByPowerValue[0]; math.Abs((b.AveragePrice-fee)/(a.AveragePrice-fee)-2.5) > 0.01 {
		t.Errorf("prices %v and %v", a.AveragePrice, b.AveragePrice)
	}
	curves, err := ParseVisualization(out.Visualization)
	if err != nil || len(curves) != 2 || curves[1].Name != "arm of G" || !slices.Equal(curves[0].Sizes, []int{128, 512, 1769}) || curves[1].Times[2] != 200 {
		t.Errorf("got %+v, %v", curves, err)
	}
	var b bytes.Buffer
	if err := out.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/sweep.txt", b.Bytes())
	// Functions take turns: neither is more than a round ahead.
	if a, b := len(f.calls), len(g.calls); a-b > 5 || b-a > 5 {
		t.Errorf("%d calls of F, %d of G", a, b)
	}
}

func TestSweepOfWhatFails(t *testing.T) {
	tuner, f, g := pair(t)
	g.report = func(config, string, bool) reply { return reply{duration: 1, failure: `{"errorType":"E"}`} }
	in := candidates(t, `{"num": 5, "powerValues": [128, 512]}`)
	out, err := tuner.Sweep(t.Context(), in, "run-1")
	if err != nil || len(out.Functions) != 1 || len(out.Failed) != 1 || !strings.Contains(out.Failed[0], "arm of G") || out.Best.Name != "arm of F" {
		t.Errorf("got %+v, %v", out, err)
	}
	f.report = g.report
	if _, err := tuner.Sweep(t.Context(), in, "run-2"); !errors.Is(err, ErrNothingMeasured) {
		t.Errorf("got %v", err)
	}
	if _, err := tuner.Sweep(t.Context(), []Candidate{in[0], in[0]}, "run-3"); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("got %v", err)
	}
	f.untouched(t)
	g.untouched(t)
}
