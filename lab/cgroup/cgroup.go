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

// hierarchy is a way to make groups. Each implementation has its own file.
type hierarchy interface {
	// mode is "v1", "v2" or "none", followed by the controllers that are missing.
	mode() string
	warnings() []string
	create(name string) (group, error)
	close()
}

// group is a control group that processes can join.
type group interface {
	join(pid int) error
	setMemory(bytes int64) error
	setCPU(vcpus float64) error
	setTasks(n int) error
	resetPeak()
	peak() (bytes int64, ok bool)
	oomKills() int
	remove()
}

// Manager makes the groups.
type Manager struct {
	hierarchy hierarchy
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
func (m *Manager) Mode() string { return m.hierarchy.mode() }

// Warnings returns a line for each thing that is not limited or not measured.
func (m *Manager) Warnings() []string { return m.hierarchy.warnings() }

// Acquire makes a group without processes, for one environment. A group must not be emptied and used again: pages
// of the base are charged to the group of the environment that read them first, and emptying it would remove those
// pages from memory, so the next cold start would read the base from disk. If a group is removed, its pages stay in
// memory.
func (m *Manager) Acquire() (*Group, error) {
	g, err := m.hierarchy.create(fmt.Sprintf("environment-%d", m.made.Add(1)))
	if err != nil {
		return nil, fmt.Errorf("making a control group: %w", err)
	}
	return &Group{g}, nil
}

// Close removes the lab's own group and the groups below it.
func (m *Manager) Close() { m.hierarchy.close() }

// Group is the control group of one execution environment.
type Group struct{ group group }

// Limit sets the limits of memory and processes, and the CPU share that holds until SetCPU.
func (g *Group) Limit(memoryMB int, vcpus float64) error {
	if err := g.group.setMemory(int64(memoryMB) << 20); err != nil {
		return fmt.Errorf("limiting memory to %d MB: %w", memoryMB, err)
	}
	if err := g.group.setTasks(Tasks + ownTasks); err != nil {
		return fmt.Errorf("limiting processes to %d: %w", Tasks, err)
	}
	return g.SetCPU(vcpus)
}

// SetCPU sets the CPU share in vCPUs. Unlimited removes the quota.
func (g *Group) SetCPU(vcpus float64) error {
	if err := g.group.setCPU(vcpus); err != nil {
		return fmt.Errorf("limiting CPU to %.2f vCPU: %w", vcpus, err)
	}
	return nil
}

// Join moves a process into the group. Its later children are in the group too.
func (g *Group) Join(pid int) error {
	if err := g.group.join(pid); err != nil {
		return fmt.Errorf("moving process %d into a control group: %w", pid, err)
	}
	return nil
}

// ResetPeak starts the measurement of PeakMemory.
func (g *Group) ResetPeak() { g.group.resetPeak() }

// PeakMemory returns the most memory that the group has used since ResetPeak. ok is false if the kernel does not
// report it.
func (g *Group) PeakMemory() (bytes int64, ok bool) { return g.group.peak() }

// OOMKilled reports whether the kernel has killed a process of the group because the group exceeded its memory.
func (g *Group) OOMKilled() bool { return g.group.oomKills() > 0 }

// Release removes the group. Its processes must have ended.
func (g *Group) Release() { g.group.remove() }

// none limits nothing.
type none struct{ why []string }

func (n none) mode() string                 { return "none" }
func (n none) warnings() []string           { return n.why }
func (n none) create(string) (group, error) { return noGroup{}, nil }
func (n none) close()                       {}

type noGroup struct{}

func (noGroup) join(int) error        { return nil }
func (noGroup) setMemory(int64) error { return nil }
func (noGroup) setCPU(float64) error  { return nil }
func (noGroup) setTasks(int) error    { return nil }
func (noGroup) resetPeak()            {}
func (noGroup) peak() (int64, bool)   { return 0, false }
func (noGroup) oomKills() int         { return 0 }
func (noGroup) remove()               {}

func unavailable(why error) none {
	return none{why: []string{"no CPU quota, no limit of memory and of processes: " + strings.ReplaceAll(why.Error(), "\n", " ") +
		"; Max Memory Used is the sum of the processes' peaks"}}
}
