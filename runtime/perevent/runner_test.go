//go:build linux

package perevent

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// runner returns a Runner for a handler with this source.
func runner(t *testing.T, source string) *Runner {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "handler.sh"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := Resolve(root, "handler.run")
	if err != nil {
		t.Fatal(err)
	}
	return NewRunner(h, os.Environ())
}

// TestRunLeavesNothing counts open files after events that end in every way, and looks for processes that a handler
// left behind.
func TestRunLeavesNothing(t *testing.T) {
	r := runner(t, `run() {
	sleep 300 & echo "$!" >pid
	case $1 in
	detached) sleep 300 >/dev/null 2>&1 & ;;
	error) return 1 ;;
	signal) kill -9 $BASHPID ;;
	late) sleep 300 ;;
	large) exec 2>&-; while :; do printf '%65536s' x; done ;;
	esac
}
`)
	before := openFiles(t)
	for _, test := range []struct{ event, errorType string }{
		{"ok", ""},
		{"detached", ""},
		{"error", "Function.ExitStatus"},
		{"signal", "Function.Signal"},
		{"late", "Function.TimedOut"},
		{"large", "Function.ResponseSizeTooLarge"},
	} {
		inv := &runtimeapi.Invocation{Context: runtimeapi.Context{runtimeapi.RequestID: "id"}, Event: []byte(test.event)}
		if test.event == "late" {
			inv.Context[runtimeapi.DeadlineMS] = strconv.FormatInt(time.Now().Add(margin+200*time.Millisecond).UnixMilli(), 10)
		}
		_, err := r.Run(inv)
		if (err == nil) != (test.errorType == "") || err != nil && err.Type != test.errorType {
			t.Errorf("%s: %v, want %s", test.event, err, test.errorType)
		}
		pid, readErr := os.ReadFile(filepath.Join(r.handler.Root, "pid"))
		if readErr != nil {
			t.Fatal(readErr)
		}
		waitGone(t, strings.TrimSpace(string(pid)))
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d files are open, %d before", after, before)
	}
}

// waitGone waits until a killed process is gone, or is a zombie that another process must reap.
func waitGone(t *testing.T, pid string) {
	t.Helper()
	for range 1000 {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("process %s is still there", pid)
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestRunLateOutput checks that what a coprocess writes after Bash has ended still belongs to the response. Lambda
// has no /dev/fd, so process substitution is not available. On a busy machine the coprocess may need longer than grace.
func TestRunLateOutput(t *testing.T) {
	defer func(before time.Duration) { grace = before }(grace)
	grace = time.Minute
	r := runner(t, "run() { exec 3>&1; coproc r { while read -r line; do printf '<%s>' \"$line\"; done >&3; }; exec >&\"${r[1]}\" 3>&-; echo a; echo b; }\n")
	response, err := r.Run(&runtimeapi.Invocation{})
	if err != nil || string(response) != "<a><b>" {
		t.Errorf("got %q, %v", response, err)
	}
}

// TestRunIsolation checks that no event sees the variables of another.
func TestRunIsolation(t *testing.T) {
	r := runner(t, "count=0\nrun() { count=$((count + 1)); printf %s \"$count\"; }\n")
	for range 2 {
		if response, err := r.Run(&runtimeapi.Invocation{}); err != nil || string(response) != "1" {
			t.Errorf("got %q, %v", response, err)
		}
	}
}

// TestRunLocale checks that the handler has the environment's locale, not one that the script needed.
func TestRunLocale(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	r := runner(t, "run() { printf '%s %s' \"$LC_ALL\" \"${#1}\"; }\n")
	if response, err := r.Run(&runtimeapi.Invocation{Event: []byte("\u00e9\u00e9")}); err != nil || string(response) != "C.UTF-8 2" {
		t.Errorf("got %q, %v", response, err)
	}
}

func BenchmarkRun(b *testing.B) {
	root := b.TempDir()
	if err := os.WriteFile(filepath.Join(root, "handler.sh"), []byte("run() { printf %s \"$1\"; }\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	h, failure := Resolve(root, "handler.run")
	if failure != nil {
		b.Fatal(failure)
	}
	r := NewRunner(h, os.Environ())
	inv := &runtimeapi.Invocation{Context: runtimeapi.Context{runtimeapi.RequestID: "id"}, Event: []byte(`{"a":1}`)}
	for b.Loop() {
		if _, err := r.Run(inv); err != nil {
			b.Fatal(err)
		}
	}
}
