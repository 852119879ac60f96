package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
)

// writeRecords writes a file of records. It calls change on each record first.
func writeRecords(t *testing.T, path string, run recordtest.Run, change func(*record.Record)) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := record.Append(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := range run.Records() {
		if change != nil {
			change(&r)
		}
		if err := f.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestCompareGuardsColdStarts(t *testing.T) {
	dir := t.TempDir()
	run := recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:4], Cold: 40, Warm: 40, Seed: 1}
	old := writeRecords(t, filepath.Join(dir, "old.jsonl"), run, nil)
	run.Seed = 2
	same := writeRecords(t, filepath.Join(dir, "same", "records.jsonl"), run, nil)
	slower := writeRecords(t, filepath.Join(dir, "slower.jsonl"), run, func(r *record.Record) {
		if r.InitDurationMs != nil && r.Arm == "rawsyscall/zip" {
			*r.InitDurationMs *= 1.3
		}
	})
	for name, test := range map[string]struct {
		args   []string
		status int
		stdout string
		stderr string
	}{
		"unchanged, by folder": {[]string{"--fail-on", "init>5%", old, filepath.Dir(same)}, exitOK, "init (ms)", ""},
		"slower":               {[]string{"--fail-on", "init>5%,warm>50%", old, slower}, exitFinding, "Failed", "failed: init>5%: rawsyscall/zip init"},
		"slower, no limit":     {[]string{old, slower}, exitOK, "rawsyscall/zip", ""},
		"slower elsewhere":     {[]string{"--fail-on", "bashtcp-static/*:init>5%", old, slower}, exitOK, "rawsyscall/zip", ""},
		"markdown":             {[]string{"--format", "markdown", old, slower}, exitOK, "| rawsyscall/zip |", ""},
		"empty limit":          {[]string{"--fail-on", "", old, slower}, exitUsage, "", "--fail-on is empty: give it a value"},
		"bad limit":            {[]string{"--fail-on", "init>fast", old, slower}, exitUsage, "", "METRIC[.QUANTILE]>AMOUNT"},
		"limit of nothing":     {[]string{"--fail-on", "no/arm:init>5%", old, slower}, exitUsage, "", "cannot be judged"},
		"absent":               {[]string{old, filepath.Join(dir, "absent.jsonl")}, exitUsage, "", "NEW: reading records"},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := twinstart(t, append([]string{"compare"}, test.args...)...)
			if status != test.status || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) || test.stderr == "" && stderr != "" {
				t.Errorf("status %d, want %d; stdout %.300s; stderr %s", status, test.status, stdout, stderr)
			}
		})
	}
	out := filepath.Join(dir, "comparison.json")
	if status, _, stderr := twinstart(t, "compare", "--format", "json", "--out", out, old, same); status != exitOK {
		t.Error(stderr)
	}
	if data, err := os.ReadFile(out); err != nil || !strings.Contains(string(data), `"metric": "init"`) {
		t.Error(err)
	}
}
