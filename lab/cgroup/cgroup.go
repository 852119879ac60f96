// Package cgroup limits the CPU, memory and processes of an execution environment as Lambda does, and measures its
// memory.
//
// It uses control groups of version 1 or version 2, or none if the lab is unprivileged and nothing is delegated to it.
// A controller that the lab cannot use is a warning, not an error. Moving a process into a version 1 group takes 7 to
// 14 ms, so that happens while the environment is set up, not while it is timed.
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

// The controllers, as indices of folders.
const (
	cpu = iota
	pids
	memory
)

// controllers are the names of the controllers, and what their absence means.
var controllers = [...]struct{ name, cost string }{
	cpu: {"cpu", "no CPU quota"}, pids: {"pids", "no limit of processes"}, memory: {"memory", "no memory limit"},
}

// folders are a group's folders, by controller: one for each in version 1, one for all in version 2. A folder is ""
// if the lab may not use the controller.
type folders [len(controllers)]string

// each calls do once for each folder, last for the memory folder.
func (f folders) each(do func(dir string) error) error {
	for _, dir := range slices.Compact(slices.DeleteFunc(f[:], func(dir string) bool { return dir == "" })) {
		if err := do(dir); err != nil {
			return err
		}
	}
	return nil
}

// remove removes the group and the groups directly below it, unless they have processes.
func (f folders) remove() {
	_ = f.each(func(dir string) error { removeTree(dir); return nil })
}

// Manager makes groups below the lab's group. The groups of the zero value limit nothing.
type Manager struct {
	version  string // "v1" or "v2"; "none" if there are no control groups
	own      folders
	warnings []string // what cannot be limited, and why
	made     atomic.Int64
}

// create makes a group, or uses the group of that name if there is one.
func (m *Manager) create(name string) (*Group, error) {
	g := &Group{v2: m.version == "v2"}
	for c, dir := range m.own {
		if dir != "" {
			g.folders[c] = filepath.Join(dir, name)
		}
	}
	return g, g.folders.each(func(dir string) error {
		if err := os.Mkdir(dir, 0o755); !errors.Is(err, os.ErrExist) {
			return err
		}
		return nil
	})
}

// Open makes the lab's group, if this process may make one. Warnings says what could not be done.
func Open() *Manager {
	m, err := find()
	if err != nil {
		m = &Manager{}
		m.without(err)
	} else if m.own[cpu] != "" {
		// Keep one empty group with a quota. The kernel patches its own code when the first quota is set and when
		// the last one goes. Without this group that would happen between INIT and the first invocation.
		alone := Manager{version: m.version, own: folders{cpu: m.own[cpu]}}
		if g, err := alone.create("bandwidth"); err == nil {
			_ = g.SetCPU(1) // if this fails, a first invocation is some us slower
		}
	}
	return m
}

// without removes the manager's groups. Groups that it makes from then on limit nothing.
func (m *Manager) without(why error) {
	m.Close()
	m.version, m.own = "none", folders{}
	m.warnings = []string{"no CPU quota, no limit of memory and of processes: " +
		strings.ReplaceAll(why.Error(), "\n", " ") + "; Max Memory Used is the sum of the processes' peaks"}
}

// Try finds out whether a group can be limited and joined; pid is a process that has no other use. If that fails,
// groups limit nothing from then on.
func (m *Manager) Try(pid int) {
	g, err := m.Acquire()
	if err == nil {
		err = errors.Join(g.Limit(128, arm.VCPUs(128)), g.Join(pid))
	}
	if err != nil {
		m.without(err)
	}
	// The group is not released, because the process is still in it.
}

// Mode returns which control groups are in use: "v1", "v2" or "none".
func (m *Manager) Mode() string { return m.version }

// Warnings returns a line for each thing that is not limited or not measured.
func (m *Manager) Warnings() []string { return m.warnings }

// Acquire makes a group without processes, for one environment. A group must not be emptied and used again: pages
// of the base are charged to the group of the environment that read them first, and emptying it would remove those
// pages from memory, so the next cold start would read the base from disk. If a group is removed, its pages stay in
// memory.
func (m *Manager) Acquire() (*Group, error) {
	g, err := m.create(fmt.Sprintf("environment-%d", m.made.Add(1)))
	if err != nil {
		return nil, fmt.Errorf("making a control group: %w", err)
	}
	return g, nil
}

// Close removes the lab's own group and the groups below it.
func (m *Manager) Close() { m.own.remove() }
