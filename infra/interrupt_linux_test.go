package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A terminal interrupts the app and jsii's process at the same time. The user must see one line, and no stack trace of
// jsii.
func TestInterruptIsOneLine(t *testing.T) {
	var stderr bytes.Buffer
	cmd := exec.Command(filepath.Join("infra", "app"))
	cmd.Dir, cmd.Stderr = repository, &stderr
	cmd.Env = append(os.Environ(), "CDK_OUTDIR="+t.TempDir(), `CDK_CONTEXT_JSON={"arms":"bashcurl/zip"}`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	group := cmd.Process.Pid
	for deadline := time.Now().Add(5 * time.Minute); !hasKernel(t, group); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("jsii has not started")
		}
	}
	if err := syscall.Kill(-group, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitUsage {
		t.Errorf("%v, want exit status %d", err, exitUsage)
	}
	if got, want := stderr.String(), "twinstart: interrupted: nothing was synthesized\n"; got != want {
		t.Errorf("standard error:\n%s\nwant:\n%s", got, want)
	}
}

// hasKernel reports whether a process of the group runs jsii's kernel.
func hasKernel(t *testing.T, group int) bool {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range processes {
		line, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(line), "jsii-runtime") || !strings.Contains(string(line), "program.js") {
			continue // the process is gone, or in another group
		}
		var stat []byte
		if stat, err = os.ReadFile(filepath.Join(filepath.Dir(path), "stat")); err != nil {
			continue
		}
		// After the name, which is in parentheses: state, parent, group.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if fields[2] == strconv.Itoa(group) {
			return true
		}
	}
	return false
}
