package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// TestRootWithoutRights measures as a root user who may open loop devices but not set them up, as in many containers.
// Then packages are made cold in the other way, the run has figures, and doctor says what is missing.
func TestRootWithoutRights(t *testing.T) {
	if os.Geteuid() != 0 {
		need.Missing(t, "not root")
	}
	setpriv := need.Tool(t, "setpriv")
	inEmptyFolder(t)
	handlerFolder(t, "mine")
	const rights = "-sys_admin,-sys_resource,-net_admin,-sys_ptrace,-perfmon,-bpf"
	as := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), setpriv, append([]string{"--bounding-set=" + rights, "--inh-caps=" + rights, os.Args[0]}, args...)...)
		cmd.Env = append(os.Environ(), asCommand+"=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := as("run", "mine", "--bootstrap", "bashtcp", "--cold", "1", "--warm", "1", "--full"); err != nil || !strings.Contains(out, "posix_fadvise") {
		t.Errorf("run: %v: %s", err, out)
	}
	if out, err := as("predict", "mine", "--bootstrap", "bashtcp"); err != nil || !strings.Contains(strings.Join(strings.Fields(out), " "), "too close to call") || !strings.Contains(out, "the base's files were not counted") {
		t.Errorf("predict: %v: %s", err, out)
	}
	if out, err := as("doctor", "--local"); !strings.Contains(out, "posix_fadvise") || strings.Contains(out, "!!  lab") {
		t.Errorf("doctor: %v: %s", err, out)
	}
}

// TestNoNamespaces runs commands as a user who may make no namespaces, as in many containers. Each command that needs
// the lab says so in one line, with what to do.
func TestNoNamespaces(t *testing.T) {
	setpriv := need.Tool(t, "setpriv")
	dir := inEmptyFolder(t)
	ok(t, os.Chmod(dir, 0o755))
	write(t, "bootstrap", "#!/bin/sh\n")
	const without = `echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"`
	for _, args := range [][]string{{"predict", "bootstrap"}, {"explain", "bootstrap"}, {"run", "bootstrap"}, {"plan", "bootstrap"}, {"invoke", "bootstrap"},
		{"lab", "bootstrap", "--listen", "127.0.0.1:0"}, {"tune", "--function", "bootstrap"}} {
		cmd := exec.CommandContext(t.Context(), need.Tool(t, "unshare"), append([]string{"--user", "--map-root-user", "sh", "-c", without, "sh",
			setpriv, "--bounding-set=-all", "--inh-caps=-all", os.Args[0]}, args...)...)
		cmd.Env = append(os.Environ(), asCommand+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil && strings.Contains(string(out), "unshare") {
			need.Missing(t, string(out)) // this machine does not allow the test
		}
		if cmd.ProcessState.ExitCode() != exitUsage || strings.Count(string(out), "\n") != 1 || !strings.Contains(string(out), "max_user_namespaces): give it CAP_SYS_ADMIN") {
			t.Errorf("%v: %v, want status %d and one line with what to do: %s", args, err, exitUsage, out)
		}
	}
}
