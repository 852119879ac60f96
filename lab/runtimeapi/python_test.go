package runtimeapi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/tools/need"
)

// TestPythonClient starts AWS's own client for Python with SnapStart. The client must reach the restore, and report the
// error of a hook that fails.
func TestPythonClient(t *testing.T) {
	need.Time(t)
	python, dir := need.Tool(t, "python3"), t.TempDir()
	if out, err := exec.Command(python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--no-compile",
		"--require-hashes", "--target", dir, "-r", "testdata/requirements.txt").CombinedOutput(); err != nil {
		need.No(t, fmt.Errorf("awslambdaric cannot be installed by pip: %w: %s", err, out))
	}
	const app = `import os
from snapshot_restore_py import register_before_snapshot, register_after_restore
def hook(name):
    print(name)
    if os.environ["FAILS"] == name:
        raise RuntimeError("no " + name)
register_before_snapshot(hook, "before")
register_after_restore(hook, "after")
def handler(event, context):
    return event
`
	if err := os.WriteFile(filepath.Join(dir, "app.py"), []byte(app), 0o644); err != nil {
		t.Fatal(err)
	}
	for fails, want := range map[string]struct {
		kind Kind
		text string
	}{"": {Next, ""}, "before": {InitError, "Runtime.BeforeSnapshotError"}, "after": {InitError, "Runtime.AfterRestoreError"}} {
		t.Run("failing hook: "+fails, func(t *testing.T) {
			s := listen(t)
			s.SnapStart("secret", nil)
			client := exec.Command(python, "-m", "awslambdaric", "app.handler")
			client.Dir = dir
			client.Env = append(os.Environ(), "PYTHONPATH="+dir, "AWS_LAMBDA_RUNTIME_API="+s.Address(), "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start", "FAILS="+fails)
			var log strings.Builder
			client.Stdout, client.Stderr = &log, &log
			if err := client.Start(); err != nil {
				t.Fatal(err)
			}
			e := within(t, s, time.Minute)
			if fails != "before" {
				if e.Kind != Restore {
					t.Errorf("got %+v, want GET /restore/next", e)
				}
				s.Restore()
				e = within(t, s, time.Minute)
			}
			_ = client.Process.Kill()
			_ = client.Wait()
			if e.Kind != want.kind || e.ErrorType != want.text || want.text != "" && !strings.Contains(string(e.Body), "no "+fails) {
				t.Errorf("got %+v %s, want %v %s\n%s", e, e.Body, want.kind, want.text, &log)
			}
		})
	}
}
