package measure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab/api/double"
)

// The function has the variable during the run only, and the phases that the bootstrap writes are in the records.
func TestPhasesAreAskedForDuringTheRunOnly(t *testing.T) {
	s := newServer(t, "a")
	asked := 0
	s.invoke = func(r double.Run, _ *double.Answer) {
		if nonce.MatchString(r.Environment[PhasesVariable]) && len(r.Environment) == 2 {
			asked++
		}
	}
	s.report = func(r double.Run, log string) string {
		event := `{"twinstartPhases":"event","requestId":"` + r.RequestID + `","startedAtMs":1,"us":{"eventRead":20}}` + "\n"
		return `{"twinstartPhases":"init","startedAtMs":1,"us":{"nextSent":1500}}` + "\n" + strings.Replace(log, "REPORT", event+"REPORT", 1)
	}
	o := options(2, 2)
	o.Phases = true
	got, out := measure(t, s, targets("a"), o, nil)
	if asked != 6 || out.Written != 6 {
		t.Errorf("%d records, and the variable was set in %d invocations; want 6 and 6", out.Written, asked)
	}
	for _, r := range got {
		var init map[string]float64
		if r.Start == record.Cold {
			init = map[string]float64{"nextSent": 1.5}
		}
		if d := cmp.Diff(init, r.InitPhasesMs); d != "" {
			t.Errorf("%s: %s", r.Start, d)
		}
		if d := cmp.Diff(map[string]float64{"eventRead": 0.02}, r.EventPhasesMs); d != "" {
			t.Error(d)
		}
	}
	restored(t, s)
}
