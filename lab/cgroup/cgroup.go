// Package cgroup limits an execution environment's CPU, memory and processes as Lambda does, and tells how much memory it used.
//
// Control groups of version 1, of version 2, and none at all (unprivileged, nothing delegated) all occur; what cannot be limited
// is a warning, never an error. Moving a process into a version 1 group costs 7 to 14 ms, so it is done while the environment is
// set up, not when it is timed.
package cgroup

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/twinstart/twinstart/arm"
)

// Tasks is how many processes and threads an execution environment may have.
// See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const Tasks = 1024

// ownTasks are the threads of an environment's process 1, which Lambda's environments do not have and which are in its group.
const ownTasks = 16

// Unlimited is no CPU quota.
const Unlimited = 0.0

// period of the CPU quota in microseconds, Lambda's: short, so that a small function is paused often and briefly.
const period = 20_000

// minQuota is the smallest quota that the kernel takes, in microseconds.
const minQuota = 1000

// quota is a CPU share in microseconds per period.
func quota(vcpus float64) int { return max(minQuota, int(vcpus*period+0.5)) }

// hierarchy is one way of making groups; there is a file for each.
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

// Try makes sure that a group can be limited and joined, with a process that serves for nothing else. Where it cannot, there are none
// from now on.
func (m *Manager) Try(pid int) {
	g, err := m.Acquire()
	if err == nil {
		err = errors.Join(g.Limit(128, arm.VCPUs(128)), g.Join(pid))
	}
	if err != nil {
		m.Close()
		m.hierarchy = unavailable(err)
	}
	// The group is not released: the process is still in it.
}

// Mode says what limits there are: "v1", "v2" or "none".
func (m *Manager) Mode() string { return m.hierarchy.mode() }

// Warnings say what is not limited or not measured, a line each.
func (m *Manager) Warnings() []string { return m.hierarchy.warnings() }

// Acquire makes a group without processes. It is made for one environment: the pages of the base that an environment was the first to
// read are charged to its group, and to empty a group for another one would throw them out of memory, so that the next cold start
// read the base from the disk. A group that is removed leaves them where they are.
func (m *Manager) Acquire() (*Group, error) {
	g, err := m.hierarchy.create(fmt.Sprintf("environment-%d", m.made.Add(1)))
	if err != nil {
		return nil, fmt.Errorf("making a control group: %w", err)
	}
	return &Group{g}, nil
}

// Close removes the lab's own group, and what is left below it.
func (m *Manager) Close() { m.hierarchy.close() }

// Group is the control group of one execution environment.
type Group struct{ group group }

// Limit sets the memory limit, that of processes, and, until SetCPU, the CPU share.
func (g *Group) Limit(memoryMB int, vcpus float64) error {
	if err := g.group.setMemory(int64(memoryMB) << 20); err != nil {
		return fmt.Errorf("limiting memory to %d MB: %w", memoryMB, err)
	}
	if err := g.group.setTasks(Tasks + ownTasks); err != nil {
		return fmt.Errorf("limiting processes to %d: %w", Tasks, err)
	}
	return g.SetCPU(vcpus)
}

// SetCPU sets the CPU share in vCPUs, Unlimited for none.
func (g *Group) SetCPU(vcpus float64) error {
	if err := g.group.setCPU(vcpus); err != nil {
		return fmt.Errorf("limiting CPU to %.2f vCPU: %w", vcpus, err)
	}
	return nil
}

// Join moves a process, and so all it will start, into the group.
func (g *Group) Join(pid int) error {
	if err := g.group.join(pid); err != nil {
		return fmt.Errorf("moving process %d into a control group: %w", pid, err)
	}
	return nil
}

// ResetPeak starts the measurement of PeakMemory.
func (g *Group) ResetPeak() { g.group.resetPeak() }

// PeakMemory is the most memory the group has used since ResetPeak; ok is false where the kernel does not tell.
func (g *Group) PeakMemory() (bytes int64, ok bool) { return g.group.peak() }

// OOMKilled says whether the kernel has killed a process of the group for exceeding its memory.
func (g *Group) OOMKilled() bool { return g.group.oomKills() > 0 }

// Release removes the group, whose processes have ended.
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
