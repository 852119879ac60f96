package cgroup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/tools/need"
)

func TestQuota(t *testing.T) {
	for memory, want := range map[int]int{128: 1447, 1024: 11577, 1769: 20000, 10240: 115772} {
		if got := quota(arm.VCPUs(memory)); got != want {
			t.Errorf("%d MB: %d us, want %d", memory, got, want)
		}
	}
	if got := quota(0.001); got != minQuota {
		t.Errorf("got %d", got)
	}
}

// Here the hierarchies are plain folders, so the test needs no control groups and no rights.
func TestFindingV1(t *testing.T) {
	top := t.TempDir()
	const own = "9:name=systemd:/\n4:memory:/docker/abc/job\n1:cpu,cpuacct:/user\n0::/\n"
	for _, dir := range []string{"cpu/user", "memory/job"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, controller := range []string{"cpu", "memory"} {
		if err := os.WriteFile(filepath.Join(top, controller, "cgroup.procs"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m, err := findV1(top, own)
	if err != nil || len(m.warnings) != 1 || m.warnings[0] != "no limit of processes: controller pids is not mounted" {
		t.Fatalf("%+v, %v", m, err)
	}
	// The container sees the machine's group /docker/abc as the top of its memory hierarchy.
	if got := filepath.Dir(m.own[cpu]); got != filepath.Join(top, "cpu/user") || filepath.Dir(m.own[memory]) != filepath.Join(top, "memory") {
		t.Errorf("the lab's own groups are %q", m.own)
	}
	if _, err := findV1(t.TempDir(), own); err == nil {
		t.Error("no error, although no controller is mounted")
	}
	if got := ownFolder(top, "0::/cpu/user\n", ""); got != filepath.Join(top, "cpu/user") {
		t.Errorf("the own folder of version 2 is %s", got)
	}
	if got := ownFolder(top, "0::/../..\n", ""); got != top {
		t.Errorf("the own folder is outside of the top: %s", got)
	}
}

// Here a group of version 2 is a plain folder, so the test sees what is written to each file.
func TestVersion2Writes(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"cgroup.procs", "memory.max", "memory.swap.max", "memory.peak", "cpu.max", "pids.max"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte("12582912\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "memory.events"), []byte("low 0\noom 2\noom_kill 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := &Group{folders: folders{dir, dir, dir}, v2: true}
	if peak, ok := g.PeakMemory(); !ok || peak != 12<<20 {
		t.Errorf("peak %d, %v", peak, ok)
	}
	if !g.OOMKilled() {
		t.Error("OOMKilled does not report the three kills")
	}
	for _, step := range []struct {
		do   error
		file string
		want string
	}{
		{g.Limit(128, 1), "memory.max", "134217728"},
		{nil, "memory.swap.max", "0"},
		{nil, "cpu.max", "20000 20000"},
		{nil, "pids.max", "1040"},
		{g.Join(7), "cgroup.procs", "7"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, step.file))
		if step.do != nil || err != nil || !strings.HasPrefix(string(text), step.want) {
			t.Errorf("%s: %q, %v, %v", step.file, text, step.do, err)
		}
	}
	if err := g.SetCPU(Unlimited); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "cpu.max")); !strings.HasPrefix(string(text), "max 20000") {
		t.Errorf("got %q", text)
	}
}

// This test works with the control groups that the machine has, or with none.
func TestGroupsOfThisMachine(t *testing.T) {
	m := Open()
	defer m.Close()
	if (m.Mode() == "none") != (len(m.Warnings()) == 1 && strings.HasPrefix(m.Warnings()[0], "no CPU quota, no limit of memory and of processes: ")) {
		t.Errorf("mode %s: %q", m.Mode(), m.Warnings())
	}
	g, err := m.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Limit(64, arm.VCPUs(128)); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("bash", "-c", `read -r; printf -v x '%20000000s'; read -r; printf -v y '%200000000s'`) // one process
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if err := g.Join(command.Process.Pid); err != nil {
		t.Fatal(err)
	}
	g.ResetPeak()
	if err := g.SetCPU(Unlimited); err != nil {
		t.Error(err)
	}
	in.Write([]byte("\n"))
	limited := m.Mode() != "none" && len(m.Warnings()) == 0
	for range 1200 {
		if peak, ok := g.PeakMemory(); ok != limited || peak > 15<<20 || !limited {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if peak, _ := g.PeakMemory(); limited && (peak < 15<<20 || peak > 64<<20) {
		t.Errorf("peak of %d MiB", peak>>20)
	}
	if g.OOMKilled() {
		t.Error("OOMKilled before the process used too much memory")
	}
	if limited {
		in.Write([]byte("\n"))
		if err := command.Wait(); err == nil || !g.OOMKilled() {
			t.Errorf("the process used too much memory, and was not killed for it: %v", err)
		}
	} else {
		command.Process.Kill()
		command.Wait()
	}
	g.Release()
	again, err := m.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Limit(64, Unlimited); err != nil {
		t.Error(err)
	}
	again.ResetPeak()
	if peak, ok := again.PeakMemory(); ok && peak > 8<<20 || again.OOMKilled() {
		t.Errorf("a released group is used again: it begins with a peak of %d KiB, or a kill", peak>>10)
	}
	again.Release()
}

// A process that forks without end must be stopped where Lambda would stop it.
func TestTasksAreLimited(t *testing.T) {
	m := Open()
	defer m.Close()
	if len(m.Warnings()) != 0 {
		need.Missing(t, strings.Join(m.Warnings(), "; "))
	}
	g, err := m.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Limit(512, Unlimited); err != nil {
		t.Fatal(err)
	}
	// If sh cannot fork, it ends with an error. Its children sleep until they are killed.
	command := exec.Command("sh", "-c", `read -r _; while sleep 60 & do n=$((n + 1)); test $n -lt 2000 || break; done; echo`)
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if err := g.Join(command.Process.Pid); err != nil {
		t.Fatal(err)
	}
	in.Write([]byte("\n"))
	err = command.Wait()
	started := tasks(t, m)
	for _, pid := range started {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	if err == nil || len(started) < Tasks || len(started) > Tasks+ownTasks {
		t.Errorf("sh started %d processes and ended with %v, want an error at %d", len(started), err, Tasks)
	}
	for range 1200 {
		if len(tasks(t, m)) == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	g.Release()
}

// tasks returns the processes of the only group that m has made.
func tasks(t *testing.T, m *Manager) (all []int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.own[pids], "environment-1", "cgroup.procs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pid)
	}
	return all
}

func TestSweepRemovesTheDeadOnly(t *testing.T) {
	command := exec.Command("true")
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	dead := filepath.Join(dir, fmt.Sprintf("%s%d-1", prefix, command.Process.Pid))
	alive := filepath.Join(dir, fmt.Sprintf("%s%d-1", prefix, os.Getpid()))
	deep := filepath.Join(dir, "user.slice", "user-0.slice", "session-1.scope", filepath.Base(dead))
	for _, d := range []string{filepath.Join(dead, "environment-1"), deep, filepath.Join(alive, "environment-1"), filepath.Join(dir, prefix+"x")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sweep(dir, sweepDepth)
	for _, d := range []string{dead, deep} {
		if _, err := os.Stat(d); err == nil {
			t.Errorf("the group of the dead lab is left: %s", d)
		}
	}
	if _, err := os.Stat(filepath.Join(alive, "environment-1")); err != nil {
		t.Errorf("the group of the lab that lives: %v", err)
	}
}
