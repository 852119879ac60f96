package power

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/twinstart/twinstart/lab/api/double"
)

var update = flag.Bool("update", false, "rewrite testdata")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if len(got) == 0 {
		t.Fatal("there is nothing to compare: -update would empty the file")
	}
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./bench/measure/power -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test ./bench/measure/power -update accepts it); got\n%s", path, got)
	}
}

func TestText(t *testing.T) {
	s := newServer(t)
	good := s.Run
	s.answer(func(r double.Run) double.Answer {
		if r.MemorySizeMB == 128 {
			return double.Answer{DurationMs: 30, UsedMB: 128, Status: "error\tError Type: Runtime.ExitError", FunctionError: `{"errorType":"Runtime.ExitError"}`}
		}
		return good(r)
	})
	tuner := tuner(s)
	tuner.Source, tuner.Seed = "lab", 7
	out, err := tuner.Run(t.Context(), input(t, `{"num": 20, "strategy": "balanced", "powerValues": [128, 256, 512, 1024, 1769, 3008], "balancedWeight": 0.5}`), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := out.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/text.txt", b.Bytes())
}

func TestEstimate(t *testing.T) {
	s := newServer(t)
	e, err := tuner(s).Estimate(t.Context(), input(t, `{"num": 50, "powerValues": [128, 1024]}`), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.Write(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/estimate.txt", b.Bytes())
	before := len(s.Calls())
	if _, err := tuner(s).Run(t.Context(), input(t, `{"num": 50, "powerValues": [128, 1024]}`), "run-2"); err != nil {
		t.Fatal(err)
	}
	invocations := s.events()["null"]
	if control := len(s.Calls()) - before - invocations; invocations != e.Invocations || control > e.ControlCalls*3/2 || control < e.ControlCalls/2 {
		t.Errorf("%d invocations, %d other calls; the estimate says %d and %d", invocations, control, e.Invocations, e.ControlCalls)
	}
	s.untouched(t)
}

// What memory buys is said where the medians are told apart, and only there.
func TestExtremes(t *testing.T) {
	value := func(mb int, ms, usd float64) Value {
		return Value{Value: mb, AverageDuration: ms, AveragePrice: usd, Duration: &Summary{P50Interval: &[2]float64{ms * 0.95, ms * 1.05}}}
	}
	for want, values := range map[string][]Value{
		"128 MB is the cheapest; 1024 MB takes 80 % less time for 7 % more money": {value(128, 100, 1), value(512, 40, 1.02), value(1024, 20, 1.07)},
		"128 MB is the cheapest; 256 MB is not told to be faster":                 {value(128, 100, 1), value(256, 99, 2)},
		"512 MB is the cheapest and the fastest":                                  {{Value: 128, Course: Course{Failed: "out of memory"}}, value(512, 40, 1)},
		"No power value could be measured":                                        {{Value: 128, Course: Course{Failed: "out of memory"}}},
	} {
		if got := Extremes(values); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
