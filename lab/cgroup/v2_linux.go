package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// v2 is the lab's group in the single hierarchy of version 2.
type v2 struct {
	dir               string
	cpu, memory, pids bool // the controllers that may be used
	missing           []string
}

// openV2 makes the lab's group in the first place that works: as root at the top, else beside or below this
// process's own group, if a session manager has delegated that to the user. Except for the root, a group that
// contains processes cannot enable controllers for groups below it.
func openV2(mount string) (hierarchy, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	sweep(mount, sweepDepth)
	own := filepath.Join(mount, ownPath(string(text), ""))
	var failures []error
	for _, parent := range []string{mount, filepath.Dir(own), own} {
		if !strings.HasPrefix(parent, mount) {
			continue
		}
		h, err := v2At(parent)
		if err == nil {
			return h, nil
		}
		failures = append(failures, err)
	}
	return nil, failures[len(failures)-1]
}

func v2At(parent string) (*v2, error) {
	for _, controller := range []string{"cpu", "memory", "pids"} {
		tryWrite(parent, "cgroup.subtree_control", "+"+controller) // one by one, so that a missing controller does not affect the others
	}
	enabled, err := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control"))
	if err != nil {
		return nil, err
	}
	h := &v2{cpu: hasWord(enabled, "cpu"), memory: hasWord(enabled, "memory"), pids: hasWord(enabled, "pids")}
	if !h.cpu && !h.memory && !h.pids {
		return nil, fmt.Errorf("neither cpu nor memory nor pids is delegated in %s", parent)
	}
	if h.dir, err = ownGroup(parent); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		has  bool
		name string
		cost string
	}{{h.cpu, "cpu", "no CPU quota"}, {h.memory, "memory", "no memory limit"}, {h.pids, "pids", "no limit of processes"}} {
		if !c.has {
			h.missing = append(h.missing, fmt.Sprintf("%s: controller %s is not delegated in %s", c.cost, c.name, parent))
			continue
		}
		if err := write(h.dir, "cgroup.subtree_control", "+"+c.name); err != nil {
			removeTree(h.dir)
			return nil, err
		}
	}
	if h.cpu { // see keepBandwidthOn
		if g, err := h.create("bandwidth"); err == nil {
			_ = g.setCPU(1) // if this fails, a first invocation is some us slower
		}
	}
	return h, nil
}

func hasWord(text []byte, word string) bool {
	for _, w := range strings.Fields(string(text)) {
		if w == word {
			return true
		}
	}
	return false
}

func (h *v2) mode() string       { return "v2" }
func (h *v2) warnings() []string { return h.missing }

func (h *v2) create(name string) (group, error) {
	g := v2Group{dir: filepath.Join(h.dir, name), cpu: h.cpu, memory: h.memory, pids: h.pids}
	if err := os.Mkdir(g.dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return &g, nil
}

func (h *v2) close() { removeTree(h.dir) }

type v2Group struct {
	dir               string
	cpu, memory, pids bool
	peakFile          *os.File // memory.peak, kept open: a write resets the peak for this descriptor only (Linux 6.12)
}

func (g *v2Group) join(pid int) error { return write(g.dir, "cgroup.procs", strconv.Itoa(pid)) }

func (g *v2Group) setMemory(bytes int64) error {
	if !g.memory {
		return nil
	}
	tryWrite(g.dir, "memory.swap.max", "0")
	return write(g.dir, "memory.max", strconv.FormatInt(bytes, 10))
}

func (g *v2Group) setCPU(vcpus float64) error {
	if !g.cpu {
		return nil
	}
	if vcpus == Unlimited {
		return write(g.dir, "cpu.max", fmt.Sprintf("max %d", period))
	}
	return write(g.dir, "cpu.max", fmt.Sprintf("%d %d", quota(vcpus), period))
}

func (g *v2Group) setTasks(n int) error {
	if !g.pids {
		return nil
	}
	return write(g.dir, "pids.max", strconv.Itoa(n))
}

// resetPeak needs Linux 6.12 or later.
func (g *v2Group) resetPeak() {
	if !g.memory {
		return
	}
	g.closePeak()
	f, err := os.OpenFile(filepath.Join(g.dir, "memory.peak"), os.O_RDWR, 0)
	if err != nil {
		return
	}
	if _, err := f.WriteString("reset"); err != nil {
		f.Close()
		return
	}
	g.peakFile = f
}

func (g *v2Group) peak() (int64, bool) {
	if !g.memory {
		return 0, false
	}
	if g.peakFile == nil {
		bytes, err := readInt(g.dir, "memory.peak") // the peak since the group was made
		return bytes, err == nil
	}
	text := make([]byte, 32)
	n, _ := g.peakFile.ReadAt(text, 0) // the error is io.EOF, because the file is short
	bytes, err := strconv.ParseInt(strings.TrimSpace(string(text[:n])), 10, 64)
	return bytes, err == nil
}

func (g *v2Group) oomKills() int {
	n, _ := readKey(g.dir, "memory.events", "oom_kill")
	return n
}

func (g *v2Group) remove() {
	g.closePeak()
	removeTree(g.dir)
}

func (g *v2Group) closePeak() {
	if g.peakFile != nil {
		g.peakFile.Close()
		g.peakFile = nil
	}
}
