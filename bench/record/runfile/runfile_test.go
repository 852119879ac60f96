package runfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

func TestSaveAndLoad(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), "records.jsonl"))
	if r, err := Load(path); r != nil || err != nil {
		t.Fatalf("no file: %v, %v", r, err)
	}
	want := &Run{
		Schema: Schema, RunID: "r", Experiment: "packaging", Source: record.Lab, StartedAt: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		Seed: 1<<63 + 1, Command: []string{"twinstart", "run"}, Options: map[string]any{"cold": 60.0}, Versions: map[string]string{"go": "go1.26"},
		AssetDigests: map[string]string{"a/zip": "sha256:0"}, Machine: ThisMachine(), NotMeasured: []arm.NotMeasured{{Arm: "b/zip", Why: "no upx"}},
		Warnings: []string{"no cgroup"},
	}
	for range 2 { // the second replaces the first
		if err := want.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		want.Interrupted, want.EndedAt = true, want.StartedAt.Add(time.Minute)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".run-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBadFilesAreNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	for data, want := range map[string]string{"{": "unexpected end of JSON input: restore the file", `{"schema":9}`: "newer than this twinstart reads", `{"seed":"x"}`: "seed"} {
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestThisMachine(t *testing.T) {
	for text, want := range map[string]string{
		"processor\t: 0\nmodel name\t: Xeon\nflags\t: x\n": "Xeon", "processor\t: 0\nCPU part\t: 0xd40\nCPU revision\t: 1\n": "0xd40",
	} {
		file := filepath.Join(t.TempDir(), "cpuinfo")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := value(file, processor); got != want {
			t.Errorf("the processor is %q, want %q, in %q", got, want, text)
		}
	}
	if m := ThisMachine(); m.OS == "" || m.CPUs < 1 || m.Architecture == "" {
		t.Errorf("want the system, the CPUs and the architecture: %+v", m)
	}
}

// A run that is moved aside leaves its folder without a run; the lock and subfolders stay.
func TestMoveAside(t *testing.T) {
	dir := t.TempDir()
	if aside, err := MoveAside(dir); aside != "" || err != nil {
		t.Fatalf("without a run: %q, %v", aside, err)
	}
	if err := (&Run{RunID: "one"}).Save(filepath.Join(dir, Name)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"records.jsonl", LockName} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	aside, err := MoveAside(dir)
	moved, _ := Load(filepath.Join(aside, Name))
	left, _ := os.ReadDir(dir)
	if err != nil || aside != filepath.Join(dir, "earlier", "one") || moved == nil || moved.RunID != "one" || len(left) != 2 || left[0].Name() != LockName {
		t.Errorf("moved to %q with %+v, %v is left, error %v; want the lock and the folder earlier", aside, moved, left, err)
	}
}
