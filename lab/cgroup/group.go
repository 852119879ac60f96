package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Group is the control group of one execution environment.
type Group struct {
	folders  folders
	v2       bool
	peakFile *os.File // kept open: every invocation reads it, and version 2 resets the peak of one descriptor only
}

// Limit sets the limits of memory and processes, and the CPU share that holds until SetCPU.
func (g *Group) Limit(memoryMB int, vcpus float64) error {
	most := strconv.Itoa(memoryMB << 20)
	limit, swap, mostSwap := "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", most
	if g.v2 {
		limit, swap, mostSwap = "memory.max", "memory.swap.max", "0"
	}
	if err := write(g.folders[memory], limit, most); err != nil {
		return fmt.Errorf("limiting memory to %d MB: %w", memoryMB, err)
	}
	_ = write(g.folders[memory], swap, mostSwap) // some kernels do not have it
	if err := write(g.folders[pids], "pids.max", strconv.Itoa(Tasks+ownTasks)); err != nil {
		return fmt.Errorf("limiting processes to %d: %w", Tasks, err)
	}
	return g.SetCPU(vcpus)
}

// SetCPU sets the CPU share in vCPUs. Unlimited removes the quota.
func (g *Group) SetCPU(vcpus float64) (err error) {
	file, most := "cpu.cfs_quota_us", "-1"
	if g.v2 {
		file, most = "cpu.max", "max"
	}
	if vcpus != Unlimited {
		most = strconv.Itoa(quota(vcpus))
	}
	if g.v2 {
		most += " " + strconv.Itoa(period)
	} else {
		err = write(g.folders[cpu], "cpu.cfs_period_us", strconv.Itoa(period))
	}
	if err == nil {
		err = write(g.folders[cpu], file, most)
	}
	if err != nil {
		return fmt.Errorf("limiting CPU to %.2f vCPU: %w", vcpus, err)
	}
	return nil
}

// Join moves a process into the group. Its later children are in the group too.
func (g *Group) Join(pid int) error {
	if err := g.folders.each(func(dir string) error { return write(dir, "cgroup.procs", strconv.Itoa(pid)) }); err != nil {
		return fmt.Errorf("moving process %d into a control group: %w", pid, err)
	}
	return nil
}

// Own returns the control files to which a thread writes 0 to join the group. With version 1 that moves only this
// thread and takes 0.3 ms for each file, while Join waits 10 ms for all processes of the machine.
func (g *Group) Own() (files []string) {
	file := "tasks"
	if g.v2 {
		file = "cgroup.procs"
	}
	_ = g.folders.each(func(dir string) error { files = append(files, filepath.Join(dir, file)); return nil })
	return files
}

// Release removes the group. Its processes must have ended.
func (g *Group) Release() {
	g.closePeak()
	g.folders.remove()
}

// write writes a control file. If the lab may not use the controller, dir is "" and nothing is written.
func write(dir, file, value string) error {
	if dir == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, file), []byte(value), 0)
}

func read(dir, file string) ([]byte, error) {
	if dir == "" {
		return nil, os.ErrNotExist
	}
	return os.ReadFile(filepath.Join(dir, file))
}

// removeTree removes a group and the groups directly below it, if they have no processes. A later lab sweeps the rest.
func removeTree(dir string) {
	children, _ := os.ReadDir(dir)
	for _, child := range children {
		if child.IsDir() {
			_ = os.Remove(filepath.Join(dir, child.Name()))
		}
	}
	_ = os.Remove(dir)
}

// ResetPeak makes PeakMemory start again. With version 2 it needs Linux 6.12 or later.
func (g *Group) ResetPeak() {
	file, zero := g.peak()
	g.closePeak()
	if g.folders[memory] == "" {
		return
	}
	f, err := os.OpenFile(filepath.Join(g.folders[memory], file), os.O_RDWR, 0)
	if err != nil {
		return
	}
	if _, err := f.WriteString(zero); err != nil {
		f.Close()
		return
	}
	g.peakFile = f
}

// peak returns the file with the peak, and the text that resets it.
func (g *Group) peak() (file, zero string) {
	if g.v2 {
		return "memory.peak", "reset"
	}
	return "memory.max_usage_in_bytes", "0"
}

// PeakMemory returns the most memory that the group has used since ResetPeak, or since the group was made if the
// kernel cannot reset it. ok is false if the kernel does not report it.
func (g *Group) PeakMemory() (bytes int64, ok bool) {
	file, _ := g.peak()
	text := make([]byte, 32)
	var err error
	if g.peakFile != nil {
		n, _ := g.peakFile.ReadAt(text, 0) // the error is io.EOF, because the file is short
		text = text[:n]
	} else if text, err = read(g.folders[memory], file); err != nil {
		return 0, false
	}
	bytes, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return bytes, err == nil
}

// OOMKilled reports whether the kernel has killed a process of the group because the group exceeded its memory.
func (g *Group) OOMKilled() bool {
	file := "memory.oom_control"
	if g.v2 {
		file = "memory.events"
	}
	text, _ := read(g.folders[memory], file) // without a memory group the kernel kills no process for the group's memory
	_, kills, found := strings.Cut("\n"+string(text), "\noom_kill ")
	return found && !strings.HasPrefix(kills, "0")
}

func (g *Group) closePeak() {
	g.peakFile.Close() // nil is fine
	g.peakFile = nil
}
