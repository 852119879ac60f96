// Package cgroup limits the CPU, memory and processes of an execution environment as Lambda does, and measures its
// memory.
//
// It works with control groups of version 1 and version 2, and without any (unprivileged, nothing delegated). A
// limit that cannot be set is a warning, never an error. To move a process into a version 1 group takes 7 to 14 ms,
// so that happens while the environment is set up, not while it is timed.
package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/twinstart/twinstart/arm"
)

// Tasks is the most processes and threads that an execution environment may have.
// See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const Tasks = 1024

// ownTasks is the number of threads of an environment's process 1. They are in its group, but Lambda's environments
// do not have them.
const ownTasks = 16

// Unlimited means no CPU quota.
const Unlimited = 0.0

// period of the CPU quota in microseconds, as on Lambda. It is short, so a small function is paused often and
// briefly.
const period = 20_000

// minQuota is the smallest quota that the kernel accepts, in microseconds.
const minQuota = 1000

// quota converts vCPUs to microseconds of CPU per period.
func quota(vcpus float64) int { return max(minQuota, int(vcpus*period+0.5)) }

// folders are a group's folders, by controller: one for each in version 1, one for all in version 2. A folder is ""
// if the lab may not use the controller.
type folders struct{ cpu, memory, pids string }

// each calls do for each folder once, the memory folder last.
func (f folders) each(do func(dir string) error) error {
	dirs := slices.DeleteFunc([]string{f.cpu, f.pids, f.memory}, func(dir string) bool { return dir == "" })
	for _, dir := range slices.Compact(dirs) {
		if err := do(dir); err != nil {
			return err
		}
	}
	return nil
}

// controller is a controller's name, what its absence means, and where its folder is kept.
type controller struct {
	name, cost string
	dir        *string
}

func (f *folders) controllers() []controller {
	return []controller{{"cpu", "no CPU quota", &f.cpu}, {"memory", "no memory limit", &f.memory}, {"pids", "no limit of processes", &f.pids}}
}

// below returns the folders of a group below this one.
func (f folders) below(name string) folders {
	for _, c := range f.controllers() {
		if *c.dir != "" {
			*c.dir = filepath.Join(*c.dir, name)
		}
	}
	return f
}

// remove removes the group and the groups directly below it, unless they have processes.
func (f folders) remove() {
	_ = f.each(func(dir string) error { removeTree(dir); return nil })
}

// hierarchy is where groups are made. The zero value makes groups that limit nothing.
type hierarchy struct {
	version  string // "v1" or "v2"; "none" if there are no control groups
	own      folders
	warnings []string // what cannot be limited, and why
}

// create makes a group. A group of that name that exists already is used.
func (h *hierarchy) create(name string) (*Group, error) {
	g := &Group{folders: h.own.below(name), v2: h.version == "v2"}
	return g, g.folders.each(func(dir string) error {
		if err := os.Mkdir(dir, 0o755); !errors.Is(err, os.ErrExist) {
			return err
		}
		return nil
	})
}

// keepBandwidthOn keeps one empty group with a quota. The kernel patches its own code when the first quota is set
// and when the last one goes. Without this group that would happen between INIT and the first invocation.
func (h *hierarchy) keepBandwidthOn() {
	alone := hierarchy{version: h.version, own: folders{cpu: h.own.cpu}}
	if g, err := alone.create("bandwidth"); err == nil {
		_ = g.SetCPU(1) // if this fails, a first invocation is some us slower
	}
}

func unavailable(why error) *hierarchy {
	return &hierarchy{version: "none", warnings: []string{"no CPU quota, no limit of memory and of processes: " +
		strings.ReplaceAll(why.Error(), "\n", " ") + "; Max Memory Used is the sum of the processes' peaks"}}
}

// Manager makes the groups.
type Manager struct {
	hierarchy *hierarchy
	made      atomic.Int64
}

// Open looks for a hierarchy in which this process may make groups.
func Open() *Manager { return &Manager{hierarchy: open()} }

// Try makes sure that a group can be limited and joined. pid is a process that is used for this only. If it fails,
// no groups are made from then on.
func (m *Manager) Try(pid int) {
	g, err := m.Acquire()
	if err == nil {
		err = errors.Join(g.Limit(128, arm.VCPUs(128)), g.Join(pid))
	}
	if err != nil {
		m.Close()
		m.hierarchy = unavailable(err)
	}
	// The group is not released, because the process is still in it.
}

// Mode returns which control groups are in use: "v1", "v2" or "none", with the controllers that are missing.
func (m *Manager) Mode() string { return m.hierarchy.version }

// Warnings returns a line for each thing that is not limited or not measured.
func (m *Manager) Warnings() []string { return m.hierarchy.warnings }

// Acquire makes a group without processes, for one environment. A group must not be emptied and used again: pages
// of the base are charged to the group of the environment that read them first, and emptying it would remove those
// pages from memory, so the next cold start would read the base from disk. If a group is removed, its pages stay in
// memory.
func (m *Manager) Acquire() (*Group, error) {
	g, err := m.hierarchy.create(fmt.Sprintf("environment-%d", m.made.Add(1)))
	if err != nil {
		return nil, fmt.Errorf("making a control group: %w", err)
	}
	return g, nil
}

// Close removes the lab's own group and the groups below it.
func (m *Manager) Close() { m.hierarchy.own.remove() }
