package need_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// On a machine without any tool, tools/setup says what is left out without each tool. As root it first lists what it will
// install. With TWINSTART_INSTALL=no it does not call apt-get.
func TestSetupAsksForNothingUnsaid(t *testing.T) {
	if os.Geteuid() != 0 {
		need.Missing(t, "root: setup installs as root only")
	}
	if _, err := os.Stat("/usr/sbin/strace"); err == nil {
		need.Missing(t, "a /usr/sbin without the tools: setup looks there, too")
	}
	for _, install := range []string{"no", "yes"} {
		bin := t.TempDir()
		for _, name := range strings.Fields("bash env dirname cat rm chmod mktemp") {
			path, err := exec.LookPath(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
				t.Fatal(err)
			}
		}
		calls := filepath.Join(bin, "calls")
		for _, name := range strings.Fields("go node npm python3 apt-get") {
			script := "#!/bin/sh\n[ $0 = " + filepath.Join(bin, "apt-get") + " ] && echo \"$*\" >>" + calls + "\nexit 1\n"
			if name == "go" || name == "npm" {
				script = "#!/bin/sh\n"
			}
			if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		setup, err := filepath.Abs("../setup")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(filepath.Join(bin, "bash"), setup)
		cmd.Env = []string{"PATH=" + bin, "TWINSTART_INSTALL=" + install}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		called, _ := os.ReadFile(calls)
		first, _, _ := strings.Cut(string(out), "\n")
		if !strings.Contains(string(out), "strace is missing (package strace): ") {
			t.Errorf("TWINSTART_INSTALL=%s: %s", install, out)
		}
		if install == "no" && (len(called) > 0 || strings.Contains(first, "installing")) ||
			install == "yes" && (!strings.Contains(string(called), "strace") || !strings.Contains(first, "installing by apt-get: ") || !strings.Contains(first, " strace ")) {
			t.Errorf("TWINSTART_INSTALL=%s: it called %q and said %s", install, called, first)
		}
	}
}
