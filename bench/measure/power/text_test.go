package power

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./tune -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test ./tune -update accepts it); got\n%s", path, got)
	}
}

func TestText(t *testing.T) {
	s := newServer(t)
	good := s.report
	s.report = func(c config, e string, cold bool) reply {
		if c.Memory == 128 {
			return reply{duration: 30, used: 128, status: "error\tError Type: Runtime.ExitError", failure: `{"errorType":"Runtime.ExitError"}`}
		}
		return good(c, e, cold)
	}
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
	s.calls = nil
	if _, err := tuner(s).Run(t.Context(), input(t, `{"num": 50, "powerValues": [128, 1024]}`), "run-2"); err != nil {
		t.Fatal(err)
	}
	invocations := s.events["{}"]
	if control := len(s.calls) - invocations; invocations != e.Invocations || control > e.ControlCalls*3/2 || control < e.ControlCalls/2 {
		t.Errorf("%d invocations, %d other calls; the estimate says %d and %d", invocations, control, e.Invocations, e.ControlCalls)
	}
	s.untouched(t)
}
