package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
)

// TestPlanPrintsWhatCanBePasted expects an error for a forgotten %, and a command line with the planned arms.
func TestPlanPrintsWhatCanBePasted(t *testing.T) {
	pilot := writeRecords(t, filepath.Join(t.TempDir(), "records.jsonl"), recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:6], Cold: 40, Seed: 1}, nil)
	status, out, said := twinstart(t, "plan", "--effect", "5", "--from", pilot)
	if status != exitUsage || !strings.Contains(said, "--effect: 5 would be 500 %: for percent write 5%") {
		t.Errorf("status %d, %s %s", status, out, said)
	}
	status, out, said = twinstart(t, "plan", "--effect", "5%", "--arms", "*/zip", "--from", pilot)
	if status != exitOK || !strings.Contains(out, " --arms '*/zip'\n") || !strings.Contains(out, " of 2 arms") || !strings.Contains(out, "among 1 pair of arms") {
		t.Errorf("status %d, %s %s", status, out, said)
	}
}
