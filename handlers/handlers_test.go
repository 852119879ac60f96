// Package handlers contains the handlers, one folder for each. Its test sends each handler the event.json of its folder and
// compares the answer with response.json.
package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/usage"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/runtime/conformance"
	"github.com/twinstart/twinstart/tools/need"
)

// patience bounds an invocation.
const patience = 20 * time.Second

// here is the architecture of this machine.
var here = map[string]arm.Architecture{"amd64": arm.X8664, "arm64": arm.ARM64}[runtime.GOARCH]

func TestMain(m *testing.M) { os.Exit(lab.Within(m.Run, here)) }

// TestHandlers runs every handler with every bootstrap and every isolation.
func TestHandlers(t *testing.T) {
	need.Time(t)
	folders, err := filepath.Glob("*/handler.sh")
	if err != nil || len(folders) < 5 {
		t.Fatalf("found %v (%v), want the handlers", folders, err)
	}
	workspace := &packages.Workspace{Dir: t.TempDir(), Log: testLog{t}}
	for _, b := range packages.Bootstraps() {
		dir, err := workspace.Bootstrap(t.Context(), b.Name, here)
		if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
			t.Run(b.Name, func(t *testing.T) { need.No(t, err) })
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, isolation := range []string{"", "subshell", "process"} {
			for _, file := range folders {
				handler := filepath.Dir(file)
				t.Run(filepath.Join(b.Name, isolation, handler), func(t *testing.T) {
					t.Parallel()
					got, log := invoke(t, dir, handler, isolation)
					check(t, handler, got)
					if handler != "fail" && log != "" {
						t.Errorf("logged %q", log)
					}
				})
			}
		}
	}
}

// invoke runs one event through a bootstrap. It returns the request that the bootstrap posted, and its log.
func invoke(t *testing.T, bootstrap, handler, isolation string) (conformance.Request, string) {
	t.Helper()
	api, err := conformance.Listen(conformance.Event{Body: string(read(t, handler, "event.json"))})
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	root, err := filepath.Abs(handler)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bootstrap, "bootstrap"))
	if bash := filepath.Join(bootstrap, "bash"); exists(bash) { // the script's first line names /var/task/bash, which is not here
		cmd = exec.Command(bash, filepath.Join(bootstrap, "bootstrap"))
	}
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + api.Address(), "_HANDLER=handler.run", "LAMBDA_TASK_ROOT=" + root,
		"PATH=/usr/bin:/bin", "LANG=en_US.UTF-8", "TMPDIR=" + t.TempDir(), "TWINSTART_ISOLATION=" + isolation}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that end also kills its children, such as a waiting curl
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	end := sync.OnceFunc(func() { usage.Kill(cmd.Process.Pid); <-ended })
	defer end()
	select {
	case <-api.Idle():
	case <-ended:
		t.Fatalf("the bootstrap ended: %s", log.String())
	case <-time.After(patience):
		t.Fatalf("no answer within %s: %s", patience, log.String())
	}
	for _, r := range api.Requests() {
		if r.Method == "POST" {
			end()
			return r, log.String()
		}
	}
	t.Fatal("nothing was posted")
	return conformance.Request{}, ""
}

// check compares the response with response.json byte by byte. For fail and inspect, whose answers depend on the
// machine, it compares only the fields that response.json has.
func check(t *testing.T, handler string, got conformance.Request) {
	t.Helper()
	want := read(t, handler, "response.json")
	if handler != "fail" && handler != "inspect" {
		if got.Path != "/invocation/id-1/response" || !bytes.Equal(got.Body, want) {
			t.Errorf("posted %s to %s, want the response %s", got.Body, got.Path, want)
		}
		return
	}
	var gotFields, wantFields map[string]any
	if err := json.Unmarshal(got.Body, &gotFields); err != nil {
		t.Fatalf("%s is not JSON: %v", got.Body, err)
	}
	if err := json.Unmarshal(want, &wantFields); err != nil {
		t.Fatal(err)
	}
	if handler == "inspect" {
		for name, value := range wantFields {
			if is, _ := gotFields[name].(string); is != value {
				t.Errorf("%s: got %q, want %q", name, is, value)
			}
		}
		return
	}
	if got.Path != "/invocation/id-1/error" || gotFields["errorMessage"] != wantFields["errorMessage"] {
		t.Errorf("posted %s to %s, want an error with %s", got.Body, got.Path, want)
	}
}

func read(t *testing.T, handler, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(handler, "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}
