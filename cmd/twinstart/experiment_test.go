package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/tools/need"
)

// assemblyDir is a folder that TestMain removes.
var assemblyDir string

// synthesized returns the assembly of two arms, which the real CDK CLI writes once.
var synthesized = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "twinstart-assembly-")
	if err != nil {
		return "", err
	}
	assemblyDir = dir
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	cmd := exec.Command(filepath.Join("node_modules", ".bin", "cdk"), "synth", "--quiet", "--output", dir,
		"-c", "architecture="+architecture, "-c", "arms=rawtcp/zip,nethttp/zip")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: "cdk synth (make setup installs it): " + string(out), Err: err}
	}
	return dir, nil
})

func assemblyOfTwoArms(t *testing.T) string {
	t.Helper()
	need.Time(t)
	dir, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// measuredOf counts a run's records by arm and start. Priming cold starts are counted separately.
func measuredOf(t *testing.T, dir string) map[string]int {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, recordsName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := map[string]int{}
	for r, err := range record.All(f, f.Name()) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Marked == "" {
			n[string(r.Start)+" "+r.Arm]++
		} else if !r.Marked.Is(record.Priming) {
			t.Errorf("%s %s is marked: %s", r.Start, r.Arm, r.Marked)
		}
	}
	return n
}

func wantCounts(t *testing.T, dir string, cold, warm int) {
	t.Helper()
	got := measuredOf(t, dir)
	for _, arm := range []string{"rawtcp/zip", "nethttp/zip"} {
		if got["cold "+arm] != cold || got["warm "+arm] != warm {
			t.Errorf("%s: %d cold and %d warm records, want %d and %d", arm, got["cold "+arm], got["warm "+arm], cold, warm)
		}
	}
}

// TestExperiment runs an experiment from an assembly of the CDK CLI to records and the report in every form.
func TestExperiment(t *testing.T) {
	t.Parallel()
	assembly, out := assemblyOfTwoArms(t), t.TempDir()
	status, stdout, stderr := twinstart(t, "run", "--assembly", assembly, "--cold", "3", "--warm", "4", "--seed", "7", "--out", out)
	if status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	wantCounts(t, out, 3, 4)
	for _, want := range []string{"rawtcp/zip", "nethttp/zip", "in the lab, not on AWS", "Which is fastest?"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the report does not say %q:\n%s", want, stdout)
		}
	}
	for _, name := range reportFiles {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	var data struct {
		Arms []struct {
			Arm       string  `json:"arm"`
			Source    string  `json:"source"`
			InitCount int     `json:"init_count"`
			P50       float64 `json:"p50_ms"`
		} `json:"arms"`
	}
	text, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}
	for _, a := range data.Arms {
		if a.Source != "lab" || a.InitCount != 3 || a.P50 <= 0 {
			t.Errorf("report.json has %+v, want 3 cold starts in the lab, with a median", a)
		}
	}

	t.Run("rendered again", func(t *testing.T) {
		status, again, stderr := twinstart(t, "report", filepath.Join(out, recordsName))
		if status != exitOK {
			t.Fatalf("status %d: %s", status, stderr)
		}
		first, _, _ := strings.Cut(stdout, "\nFiles: ")
		if strings.TrimSpace(again) != strings.TrimSpace(first) {
			t.Error("the report of the records differs from the one the run printed")
		}
	})
	t.Run("run again", func(t *testing.T) {
		if status, _, stderr := twinstart(t, "run", "--assembly", assembly, "--cold", "1", "--warm", "0", "--out", out); status != exitOK {
			t.Fatalf("status %d: %s", status, stderr)
		}
		earlier, err := filepath.Glob(filepath.Join(out, "earlier", "*", recordsName))
		if err != nil || len(earlier) != 1 {
			t.Fatalf("the earlier run's records are at %v (%v), want one file", earlier, err)
		}
		wantCounts(t, filepath.Dir(earlier[0]), 3, 4)
		wantCounts(t, out, 1, 0)
	})
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"a": "$(touch x)"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := twinstart(t, "invoke", "rawtcp/zip", "--assembly", assemblyOfTwoArms(t), "--event", event)
	if status != exitOK || stdout != `{"a": "$(touch x)"}` || !strings.Contains(stderr, `"type":"platform.report"`) {
		t.Errorf("status %d, response %q, log:\n%s", status, stdout, stderr)
	}
	status, _, stderr = twinstart(t, "invoke", "rawtcp/zap", "--assembly", assemblyOfTwoArms(t))
	if status != exitUsage || !strings.Contains(stderr, "rawtcp/zip") {
		t.Errorf("an unknown arm: status %d, want %d and the known arms: %s", status, exitUsage, stderr)
	}
}

// TestInterrupted stops a run as Ctrl-C does. The records stay, a report is written, and --resume continues.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	assembly, out := assemblyOfTwoArms(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		waitForRecords(t, out, 4)
		cancel()
	}()
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"run", "--assembly", assembly, "--cold", "20", "--warm", "5", "--out", out}, &stdout, &stderr)
	if status != exitInterrupted || !strings.Contains(stderr.String(), "--resume") {
		t.Fatalf("status %d, want %d and what goes on: %s", status, exitInterrupted, stderr.String())
	}
	resumeAndCount(t, assembly, out)
}

// TestKilled kills a run with SIGKILL. No complete record is lost, no process or mount stays on the machine, and --resume
// continues.
func TestKilled(t *testing.T) {
	t.Parallel()
	assembly, out := assemblyOfTwoArms(t), t.TempDir()
	cmd := exec.Command(os.Args[0], "run", "--assembly", assembly, "--cold", "20", "--warm", "5", "--out", out)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitForRecords(t, out, 4)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // its error says that it was killed
	resumeAndCount(t, assembly, out)
	run, err := runfile.Load(filepath.Join(out, runfile.Name))
	if err != nil || run.Resumed != 1 || len(run.AssetDigests) != 2 || run.Versions["twinstart"] == "" || run.Versions["go"] == "" {
		t.Errorf("run.json: %+v, %v, want it resumed once, with what was measured and by what", run, err)
	}
}

func waitForRecords(t *testing.T, dir string, n int) {
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(dir, recordsName)); err == nil && bytes.Count(text, []byte("\n")) >= n {
			return
		}
	}
	t.Error("no records within 5 minutes")
}

func resumeAndCount(t *testing.T, assembly, out string) {
	t.Helper()
	if before := measuredOf(t, out)["cold rawtcp/zip"]; before == 0 || before >= 20 {
		t.Fatalf("%d cold records of rawtcp/zip before --resume, want some and not all", before)
	}
	status, _, stderr := twinstart(t, "run", "--resume", "--assembly", assembly, "--out", out)
	if status != exitOK {
		t.Fatalf("resuming: status %d: %s", status, stderr)
	}
	wantCounts(t, out, 20, 5)
}

// TestExamplesInTheLab runs the application of examples/ as its README says: synthesized for this machine, with the
// event of its schedule. If it is synthesized for another architecture, the error names the missing flag.
func TestExamplesInTheLab(t *testing.T) {
	t.Parallel()
	need.Time(t)
	examples := filepath.Join(repository, "examples")
	app := filepath.Join(t.TempDir(), "app")
	in := func(env []string, name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = examples, append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
	flags, err := os.ReadFile(filepath.Join(repository, "infra", "goflags")) // the flags with which make test compiled the CDK
	if err != nil {
		t.Fatal(err)
	}
	in([]string{"GOFLAGS=" + strings.TrimSpace(string(flags))}, "go", "build", "-o", app, ".")
	host, other := "x86_64", "arm64"
	if runtime.GOARCH == "arm64" {
		host, other = other, host
	}
	dir := t.TempDir()
	assembly := func(architecture string) string { return filepath.Join(dir, architecture) }
	var synthesized sync.WaitGroup
	for _, architecture := range []string{host, other} {
		synthesized.Go(func() {
			in([]string{"CDK_OUTDIR=" + assembly(architecture), `CDK_CONTEXT_JSON={"architecture": "` + architecture + `"}`}, app)
		})
	}
	synthesized.Wait()
	here, tick := assembly(host), filepath.Join(examples, "tick.json")
	if status, stdout, stderr := twinstart(t, "invoke", "Visits", "--assembly", here, "--event", tick); status != exitOK || !strings.HasPrefix(stdout, `{"tick": true`) {
		t.Errorf("invoke: status %d: %s%s", status, stdout, stderr)
	}
	if status, _, stderr := twinstart(t, "run", "--assembly", here, "--event", tick, "--cold", "1", "--warm", "1", "--out", t.TempDir()); status != exitOK {
		t.Errorf("run: status %d: %s", status, stderr)
	}
	status, _, stderr := twinstart(t, "run", "--assembly", assembly(other), "--event", tick, "--out", t.TempDir())
	if status != exitUsage || !strings.Contains(stderr, "(npx cdk synth -c architecture="+host+")") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("for %s: status %d: %s", other, status, stderr)
	}
}
