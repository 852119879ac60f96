package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// v1 is version 1, which has a hierarchy for each controller. The fields are the lab's group in each hierarchy, or
// "" if the lab may not make one.
type v1 struct {
	cpu, memory, pids string
	missing           []string
}

func openV1() (hierarchy, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	h := &v1{}
	var failures []error
	for _, c := range []struct {
		name, cost string
		dir        *string
	}{{"cpu", "no CPU quota", &h.cpu}, {"memory", "no memory limit", &h.memory}, {"pids", "no limit of processes", &h.pids}} {
		root, dir, ok := mountPoint(string(mounts), c.name)
		if !ok {
			err = fmt.Errorf("controller %s is not mounted", c.name)
		} else {
			sweep(dir, sweepDepth)
			*c.dir, err = ownGroup(below(root, dir, ownPath(string(own), c.name)))
		}
		if err != nil {
			failures = append(failures, err)
			h.missing = append(h.missing, c.cost+": "+err.Error())
		}
	}
	if len(failures) == 3 {
		return nil, errors.Join(failures...)
	}
	if h.cpu != "" {
		h.keepBandwidthOn()
	}
	return h, nil
}

// keepBandwidthOn keeps one empty group with a quota. The kernel patches its own code when the first quota is set
// and when the last one goes. Without this group that would happen between INIT and the first invocation.
func (h *v1) keepBandwidthOn() {
	dir := filepath.Join(h.cpu, "bandwidth")
	if os.Mkdir(dir, 0o755) == nil {
		_ = v1Group{cpu: dir}.setCPU(1) // if this fails, a first invocation is some us slower
	}
}

func (h *v1) mode() string       { return "v1" }
func (h *v1) warnings() []string { return h.missing }

func (h *v1) create(name string) (group, error) {
	g := v1Group{}
	for _, c := range []struct {
		parent string
		dir    *string
	}{{h.cpu, &g.cpu}, {h.memory, &g.memory}, {h.pids, &g.pids}} {
		if c.parent == "" {
			continue
		}
		*c.dir = filepath.Join(c.parent, name)
		if err := os.Mkdir(*c.dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
	return g, nil
}

func (h *v1) close() {
	for _, dir := range []string{h.cpu, h.memory, h.pids} {
		if dir != "" {
			removeTree(dir)
		}
	}
}

type v1Group struct{ cpu, memory, pids string }

func (g v1Group) join(pid int) error {
	// Only the first join is expensive: the kernel's wait for it covers the others.
	for _, dir := range []string{g.memory, g.cpu, g.pids} {
		if dir == "" {
			continue
		}
		if err := write(dir, "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return err
		}
	}
	return nil
}

func (g v1Group) setMemory(bytes int64) error {
	if g.memory == "" {
		return nil
	}
	if err := write(g.memory, "memory.limit_in_bytes", strconv.FormatInt(bytes, 10)); err != nil {
		return err
	}
	tryWrite(g.memory, "memory.memsw.limit_in_bytes", strconv.FormatInt(bytes, 10))
	return nil
}

func (g v1Group) setCPU(vcpus float64) error {
	if g.cpu == "" {
		return nil
	}
	if vcpus == Unlimited {
		return write(g.cpu, "cpu.cfs_quota_us", "-1")
	}
	if err := write(g.cpu, "cpu.cfs_period_us", strconv.Itoa(period)); err != nil {
		return err
	}
	return write(g.cpu, "cpu.cfs_quota_us", strconv.Itoa(quota(vcpus)))
}

func (g v1Group) setTasks(n int) error {
	if g.pids == "" {
		return nil
	}
	return write(g.pids, "pids.max", strconv.Itoa(n))
}

func (g v1Group) resetPeak() {
	if g.memory != "" {
		tryWrite(g.memory, "memory.max_usage_in_bytes", "0")
	}
}

func (g v1Group) peak() (int64, bool) {
	if g.memory == "" {
		return 0, false
	}
	bytes, err := readInt(g.memory, "memory.max_usage_in_bytes")
	return bytes, err == nil
}

func (g v1Group) oomKills() int {
	n, _ := readKey(g.memory, "memory.oom_control", "oom_kill")
	return n
}

func (g v1Group) remove() {
	for _, dir := range []string{g.cpu, g.memory, g.pids} {
		if dir != "" {
			removeTree(dir)
		}
	}
}
