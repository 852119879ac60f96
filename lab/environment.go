package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/lab/life"
	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/sandbox/inside"
	"github.com/twinstart/twinstart/lab/usage"
)

// environment is one execution environment of a function.
type environment struct {
	function *function
	setting
	spare
	program string // path of the program that is started
	log     *stream
	used    *usage.Counter

	started      bool  // INIT has succeeded, and the bootstrap was alive at the last check
	suppressInit bool  // run INIT as part of the next invocation
	throttled    bool  // its CPU quota is set
	peak         int64 // peak memory in bytes: of the control group, or without one the sum of the processes' peaks
	idleSince    time.Time
	provisioned  bool
	held         bool           // its bootstrap waits in GET /restore/next
	toldRestore  *time.Duration // duration of the restore, for the next REPORT
	toldInit     time.Duration  // duration of the INIT of a provisioned environment, for its first REPORT
	logStream    string
	doors        []*http.Server // proxies to the services that the function may call
	done         chan struct{}  // closed when the environment has ended and is cleaned up
}

// prepare sets up an environment. Its bootstrap is then ready to be started.
func (f *function) prepare(of setting) (_ *environment, err error) {
	if err = of.code.ready(); err != nil {
		return nil, err
	}
	if !f.lab.enter() {
		return nil, errClosed
	}
	process, err := f.lab.take()
	if err != nil {
		f.lab.environments.Done()
		return nil, err
	}
	c, now := of.config, time.Now().UTC()
	logStream := now.Format("2006/01/02/") + "[" + c.Version + "]" + strings.ReplaceAll(api.NewID(), "-", "")
	e := &environment{function: f, setting: of, spare: process, logStream: logStream, done: make(chan struct{}),
		log: &stream{function: c.Name, to: f.lab.log}, used: usage.Watch(process.life.PID())}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	share := cgroup.Unlimited
	if f.lab.options.ProportionalInit || c.Initialization == provisionedInit {
		share, e.throttled = arm.VCPUs(c.MemorySizeMB), true
	}
	if err = e.group.Limit(c.MemorySizeMB, share); err != nil {
		return nil, err
	}
	layout := of.code.layout(c, f.uid)
	disk, err := f.lab.disk(c.EphemeralStorageMB)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	if disk != nil {
		defer disk.Close() // once it is mounted
		layout.TmpDisk = disk.Name()
	}
	root, mounts := layout.Mounts()
	spec := sandbox.Spec{Root: root, Mounts: mounts, Listen: f.lab.listen(), Unprivileged: f.lab.unprivileged,
		Filters: f.lab.filters, UID: f.uid}
	for _, file := range of.code.pkg.Files {
		if path.Dir("/"+file.Path) == sandbox.LayerRoot+"/extensions" {
			spec.Extensions = append(spec.Extensions, "/"+file.Path)
		}
	}
	if f.lab.groups.Mode() == "none" && f.lab.unprivileged {
		spec.MemoryMB, spec.Tasks = c.MemorySizeMB, cgroup.Tasks
	}
	err = e.life.Begin(spec, e.log, func(address string) sandbox.Command {
		command := of.code.command(c, address, logStream)
		e.program = strings.Join(command.Argv[:min(1, len(command.Argv))], "")
		return command
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	if listeners := e.life.Listeners(); len(listeners) > 0 {
		for i, door := range f.lab.options.Allow {
			e.doors = append(e.doors, door.serve(listeners[i+1]))
		}
	}
	if c.Initialization == snapStartInit {
		e.life.API.SnapStart(f.lab.secrets(logStream))
	}
	e.life.API.Extend(runtimeapi.Function{Name: c.Name, Version: c.Version, Handler: c.Handler},
		list.Map(spec.Extensions, path.Base))
	e.group.ResetPeak()
	return e, nil
}

// thaw lets the processes of an idle environment run again.
func (e *environment) thaw() {
	if e.function.lab.options.Freeze {
		_ = e.life.Tell(inside.Thaw)
	}
}

// close ends the environment. The processes end, and their files are removed, in the background.
func (e *environment) close() {
	if !e.started {
		e.life.Kill()
	}
	e.function.lab.ending.Add(1)
	go func() {
		defer e.function.lab.environments.Done()
		defer e.function.lab.ending.Add(-1)
		defer close(e.done)
		if e.started {
			e.thaw()
			e.life.ShutDown("spindown")
		}
		e.spare.close()
		for _, door := range e.doors {
			door.Close()
		}
		e.used.Close()
	}()
}

// lost reports whether process 1 has ended, for example because the kernel has killed it when the group's memory was
// used up.
func (e *environment) lost() bool {
	select {
	case <-e.life.Gone():
		return true
	default:
		return false
	}
}

// start runs the bootstrap until its first GET /next, at most for limit. With SnapStart, start ends at GET
// /restore/next. If INIT runs again after a crash, start restores the environment at once and goes on to GET /next.
func (e *environment) start(limit time.Duration) (took time.Duration, why *failure) {
	if !e.function.lab.store.Loop {
		e.code.pkg.Drop() //nolint:errcheck // if the package stays in memory, the counts of pages show it
	}
	phase := "init"
	if e.suppressInit {
		phase = "invoke"
	}
	e.log.add(e.initStart(phase), false)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	began, n := e.life.Init(ctx)
	asks := n.Event.Kind == runtimeapi.Restore // which the API allows with SnapStart only
	if e.held = asks && !e.suppressInit; asks && !e.held {
		_, n = e.life.Restore(ctx)
	}
	took, why = n.At.Sub(began), e.failure(n)
	if why == nil && e.config.Initialization == snapStartInit && !e.suppressInit && !e.held {
		why = &failure{kind: "Runtime.Unknown", message: "the runtime asked for an event and not for restore/next: " +
			"the lab has SnapStart only for runtimes that ask for restore/next"}
	}
	if n.Ending == life.Late {
		took = limit
	}
	e.started = why == nil && !e.held
	return took, why
}

// failure returns Lambda's words for what a bootstrap did. It returns nil for GET /next and GET /restore/next.
func (e *environment) failure(n life.News) *failure {
	switch n.Ending {
	case life.Called:
		if n.Event.Kind == runtimeapi.Next || n.Event.Kind == runtimeapi.Restore {
			return nil
		}
		return reported(n.Event)
	case life.Unstarted:
		message := n.Err.Error()
		if errors.Is(n.Err, sandbox.ErrBroken) { // the machine's fault, not the package's
			return &failure{kind: "Runtime.Unknown", message: message}
		}
		program := e.life.Root() + e.program
		if _, err := os.Lstat(program); err != nil && e.program == sandbox.TaskRoot+"/bootstrap" {
			message = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
		} // if the file exists, its interpreter may be missing
		if built := deployment.Built(program); built != "" && string(built) != e.config.Architecture {
			message += ": it is built for " + string(built) + ", the function is for " + e.config.Architecture
		}
		return &failure{kind: "Runtime.InvalidEntrypoint", message: message}
	case life.Late:
		return &failure{timeout: true}
	}
	f := exited("signal: killed")
	if n.Ending == life.Exited {
		f = exited(n.Exit.Reason())
		if n.Exit.Extension != "" {
			f = &failure{kind: "Extension.Crash", message: n.Exit.Reason() + ": " + n.Exit.Extension}
		}
		if _, ok := e.group.PeakMemory(); !ok {
			e.peak = max(e.peak, n.Exit.MaxRSSKiB<<10)
		}
	}
	if e.group.OOMKilled() && strings.HasSuffix(f.message, "signal: killed") {
		f.kind = "Runtime.OutOfMemory" // Lambda's name for this error
	}
	return f
}

// stop ends the bootstrap and the processes that it has started. The environment stays, and its next invocation runs
// INIT again.
func (e *environment) stop() {
	e.started, e.suppressInit = false, true
	// Process 1 is in the group, too. With a small function's share of a CPU it would take seconds to end a fork bomb.
	if e.throttled && e.group.SetCPU(cgroup.Unlimited) == nil {
		e.throttled = false
	}
	_ = e.life.Stop() // fails if the environment is gone, which the next invocation notices
}
