package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// TestRootWithoutRights measures as root that may open loop devices and not set them up, as in many a container: packages are made cold in the
// other way, the run has figures, and doctor says what is lacking.
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
	if out, err := as("doctor", "--local"); !strings.Contains(out, "posix_fadvise") || strings.Contains(out, "!!  lab") {
		t.Errorf("doctor: %v: %s", err, out)
	}
}
