//go:build linux

package lab_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// Processes, mounts and loop devices must end with a killed lab. The next lab removes its control groups.
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
	// One reading may miss children: the kernel lists them all only while none starts or ends.
	var processes []string
	eventually(t, "too few processes", func() string {
		if processes = descendants(command.Process.Pid); len(processes) < 5 {
			return fmt.Sprint(processes)
		}
		return ""
	})
	must(t, command.Process.Kill())
	command.Wait()
	eventually(t, "processes", func() string {
		var left []string
		for _, p := range processes {
			if text, err := os.ReadFile("/proc/" + p + "/stat"); err == nil && !strings.Contains(string(text), ") Z ") {
				left = append(left, p)
			}
		}
		return strings.Join(left, " ")
	})
	eventually(t, "loop devices", func() string { return loopsOf(state) })
	if mounts, _ := os.ReadFile("/proc/self/mountinfo"); strings.Contains(string(mounts), state) {
		t.Errorf("mounts are left: %s", mounts)
	}
	newLab(t, function(t, "F", nil))
	groups, _ := filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/*/twinstart-%d-*", command.Process.Pid))
	if len(groups) > 0 {
		t.Errorf("control groups are left: %v", groups)
	}
}

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

// A container's root has only some of the machine's users, and may set up no loop device.
func TestRootOfAContainer(t *testing.T) {
	need.Time(t)
	t.Parallel()
	if os.Geteuid() != 0 {
		need.Missing(t, "root, to map users")
	}
	command := exec.Command("/proc/self/exe", "-test.run=^(TestColdThenWarm|TestCrash|TestShell.*|TestEnvironmentIs.*)$", "-test.v", "-test.timeout=60s")
	some := []syscall.SysProcIDMap{{Size: 65536}}
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: some, GidMappings: some, GidMappingsEnableSetgroups: true}
	command.Env = append(os.Environ(), bootstrapVariable+"="+builtBootstrap(t))
	if out, err := command.CombinedOutput(); err != nil || strings.Count(string(out), "\n--- PASS") < 4 {
		t.Errorf("%v: %s", err, out)
	}
}

// The same tests must pass without privileges, in user namespaces and without control groups.
func TestUnprivileged(t *testing.T) {
	need.Time(t)
	t.Parallel()
	if os.Geteuid() != 0 {
		return // this run already is unprivileged
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
	// Let another process copy the file: while this process has it open for writing, a child that another test
	// forks has it open too, and then it cannot be executed.
	must(t, exec.Command("cp", self, filepath.Join(dir, "lab.test")).Run())
	copyFile(t, builtBootstrap(t), filepath.Join(dir, "bootstrap"))
	copyFile(t, "lab_test.go", filepath.Join(dir, "lab_test.go"))
	must(t, os.Mkdir(filepath.Join(dir, "tmp"), 0o777))
	must(t, os.Chown(filepath.Join(dir, "tmp"), nobody, nobody))
	command := exec.Command(filepath.Join(dir, "lab.test"), "-test.run=^(TestColdThenWarm|TestEnvironment.*|TestCrash|TestTimeout|TestImages|TestShell.*|TestUpdateForces.*|TestKilled.*|TestMemoryLimit|TestForkBomb|TestAttacks.*|TestNobody.*|TestAllowed.*)$",
		"-test.v", "-test.timeout=60s")
	command.Dir = dir
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + filepath.Join(dir, "tmp"), bootstrapVariable + "=" + filepath.Join(dir, "bootstrap")}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if n := strings.Count(string(out), "\n--- PASS"); n < 11 {
		t.Errorf("%d passed: %s", n, out)
	}
}
