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
	if err := alone(out).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/text.txt", b.Bytes())
}

func TestEstimate(t *testing.T) {
	s := newServer(t)
	text, err := tuner(s).Estimate(t.Context(), []Candidate{{Input: input(t, `{"num": 50, "powerValues": [128, 1024]}`)}}, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/estimate.txt", []byte(text))
	before := len(s.Calls())
	if _, err := tuner(s).Run(t.Context(), input(t, `{"num": 50, "powerValues": [128, 1024]}`), "run-2"); err != nil {
		t.Fatal(err)
	}
	invocations := s.events()["null"]
	if control := len(s.Calls()) - before - invocations; invocations != 100 || control > 17*3/2 || control < 17/2 {
		t.Errorf("%d invocations, %d other calls; the estimate says 100 and 17", invocations, control)
	}
	s.untouched(t)
}
