//go:build linux

package lab_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// If a lab is killed, its processes, mounts and loop devices must end with it. The next lab removes its control groups.
func TestKilledLabLeavesNothing(t *testing.T) {
	need.Time(t)
	t.Parallel()
	dir := writeAssembly(t, function(t, "F", nil), function(t, "G", nil))
	state := t.TempDir()
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), serveVariable+"="+dir, "LAB_TEST_STATE="+state)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "serving\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	// The kernel may omit children while others start or end, so the test looks again until it sees the last invocation's.
	var processes []string
	eventually(t, "the two sleeping processes of the last invocation are missing", func() string {
		processes = descendants(command.Process.Pid)
		commands := ""
		for _, p := range processes {
			text, _ := os.ReadFile("/proc/" + p + "/cmdline")
			commands += string(text) + "\n"
		}
		if strings.Count(commands, "sleep\x00100\x00") < 2 {
			return commands
		}
		return ""
	})
	loops, groups := loopsOf(state), groupsOf(command.Process.Pid)
	must(t, command.Process.Kill())
	command.Wait()
	eventually(t, "processes are left", func() string {
		var left []string
		for _, p := range processes {
			if text, err := os.ReadFile("/proc/" + p + "/stat"); err == nil && !strings.Contains(string(text), ") Z ") {
				left = append(left, p)
			}
		}
		return strings.Join(left, " ")
	})
	eventually(t, "loop devices are left", func() string { return loopsOf(state) })
	if mounts, _ := os.ReadFile("/proc/self/mountinfo"); strings.Contains(string(mounts), state) {
		t.Errorf("mounts are left: %s", mounts)
	}
	next := newLab(t, function(t, "F", nil)).Machine()
	if left := groupsOf(command.Process.Pid); left != "" {
		t.Errorf("control groups are left: %s", left)
	}
	if next.ColdBy == "loop mount" && loops == "" || next.CGroups != "none" && groups == "" {
		t.Errorf("the test did not see what the lab used: loop device %q, control groups %q", loops, groups)
	}
}

// groupsOf returns the control groups of a lab.
func groupsOf(pid int) (groups string) {
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, _ fs.DirEntry, _ error) error { // groups come and go
		if strings.HasPrefix(filepath.Base(path), fmt.Sprintf("twinstart-%d-", pid)) {
			groups += path + " "
		}
		return nil
	})
	return groups
}

// descendants returns the processes that a process has started, and theirs.
func descendants(pid int) (all []string) {
	todo := []string{strconv.Itoa(pid)}
	for len(todo) > 0 {
		threads, _ := filepath.Glob("/proc/" + todo[0] + "/task/*/children")
		todo = todo[1:]
		for _, thread := range threads {
			text, _ := os.ReadFile(thread)
			children := strings.Fields(string(text))
			all, todo = append(all, children...), append(todo, children...)
		}
	}
	return all
}

// The lab must work as root of a container, who has only some of the machine's users and may not set up loop devices.
func TestRootOfAContainer(t *testing.T) {
	need.Time(t)
	t.Parallel()
	if os.Geteuid() != 0 {
		need.Missing(t, "root, to map users")
	}
	command := exec.Command("/proc/self/exe", "-test.run=^(TestColdThenWarm|TestCrash|TestShell.*|TestEnvironmentIs.*)$", "-test.v", "-test.timeout=5m")
	some := []syscall.SysProcIDMap{{Size: 65536}}
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: some, GidMappings: some, GidMappingsEnableSetgroups: true}
	command.Env = append(os.Environ(), bootstrapVariable+"="+builtBootstrap(t))
	if out, err := command.CombinedOutput(); err != nil || strings.Count(string(out), "\n--- PASS") < 4 {
		t.Errorf("%v: %s", err, out)
	}
}

// Without privileges the lab uses user namespaces and no control groups. These tests must pass there too.
func TestUnprivileged(t *testing.T) {
	need.Time(t)
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("the whole run is unprivileged")
	}
	if _, err := os.Stat("/proc/self/ns/user"); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "lab-unprivileged")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	self, err := os.Executable()
	must(t, err)
	// Another process copies the file. If this process had it open for writing, a child that another test forks would
	// have it open too, and then nobody could execute it.
	must(t, exec.Command("cp", self, filepath.Join(dir, "lab.test")).Run())
	copyFile(t, builtBootstrap(t), filepath.Join(dir, "bootstrap"))
	copyFile(t, "lab_test.go", filepath.Join(dir, "lab_test.go"))
	must(t, os.Mkdir(filepath.Join(dir, "tmp"), 0o777))
	must(t, os.Chown(filepath.Join(dir, "tmp"), nobody, nobody))
	command := exec.Command(filepath.Join(dir, "lab.test"), "-test.run=^(TestColdThenWarm|TestEnvironment.*|TestCrash|TestTimeout|TestImages|TestShell.*|TestUpdateForces.*|TestKilled.*|TestMemoryLimit|TestForkBomb|TestAttacks.*|TestNobody.*|TestAllowed.*)$",
		"-test.v", "-test.timeout=5m")
	command.Dir = dir
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + filepath.Join(dir, "tmp"), bootstrapVariable + "=" + filepath.Join(dir, "bootstrap")}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if n := strings.Count(string(out), "\n--- PASS"); n < 13 { // all but TestMemoryLimit, which needs control groups
		t.Errorf("%d tests passed: %s", n, out)
	}
}
