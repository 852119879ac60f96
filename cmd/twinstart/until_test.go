package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/sequential"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// TestUntilSignificant lets a run end by its own results. When it ends depends on the machine, but the end must be one of
// the planned looks, and the report must tell arms apart at that look's level.
func TestUntilSignificant(t *testing.T) {
	t.Parallel()
	assembly, out := assemblyOfTwoArms(t), t.TempDir()
	status, stdout, stderr := twinstart(t, "run", "--assembly", assembly, "--cold", "30", "--warm", "2", "--full", "--until-significant", "--out", out)
	if status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	run, err := runfile.Load(filepath.Join(out, runfile.Name))
	if err != nil || run.Sequential == nil {
		t.Fatalf("%+v %v", run, err)
	}
	s := run.Sequential
	looks := sequential.Plan(30, stat.Alpha)
	if s.Looks < 1 || s.Looks > len(looks) || s.Ended != looks[s.Looks-1].Round || s.Level != looks[s.Looks-1].Level || s.Stopped != (s.Ended < 30) {
		t.Errorf("%+v, planned %+v", s, looks)
	}
	wantCounts(t, out, s.Ended, 2)
	if s.Stopped != strings.Contains(stderr, "stopped after") {
		t.Errorf("stopped: %t, told: %s", s.Stopped, stderr)
	}
	if !strings.Contains(stdout, "looked at its own results by INIT") {
		t.Errorf("the report does not say how the run ended:\n%s", stdout)
	}
	rep, err := report.Files([]string{filepath.Join(out, recordsName)}, os.Stdin, report.Options{})
	if err != nil || rep.Alpha != s.Level {
		t.Errorf("the report's level is %v, want %v: %v", rep.Alpha, s.Level, err)
	}
	if status, _, stderr := twinstart(t, "run", "--assembly", assembly, "--cold", "10", "--until-significant", "--out", out); status != exitUsage || !strings.Contains(stderr, "raise --cold") {
		t.Errorf("status %d: %s", status, stderr)
	}
}
