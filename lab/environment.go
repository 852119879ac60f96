package lab

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/usage"
)

// environment is one execution environment of a function.
type environment struct {
	function   *function
	config     api.Configuration // that it was made for
	generation int
	sandbox    *sandbox.Environment
	api        *runtimeapi.Server
	group      *cgroup.Group
	log        *stream
	output     *output
	used       *usage.Counter

	started      bool  // its bootstrap has reached GET /next and lives, as far as is known
	suppressInit bool  // INIT is run as part of the next invocation
	throttled    bool  // its CPU quota is set
	peak         int64 // bytes: the most seen by the control group, or where there is none the sum of the processes' own peaks
	idleSince    time.Time
	doors        []*http.Server // to what the function may call
	done         chan struct{}
}

// prepare sets up an environment up to the point where its bootstrap waits to be started.
func (f *function) prepare(c api.Configuration, generation int) (_ *environment, err error) {
	if err := f.ready(); err != nil {
		return nil, err
	}
	if !f.lab.open() {
		return nil, errClosed
	}
	now := time.Now().UTC()
	logStream := now.Format("2006/01/02/") + "[" + c.Version + "]" + strings.ReplaceAll(api.NewID(), "-", "")
	e := &environment{function: f, config: c, generation: generation, done: make(chan struct{}),
		log: &stream{function: c.Name, to: f.lab.log}}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	address, listen := runtimeAPI, f.lab.listen()
	if len(listen) == 0 {
		if e.api, err = runtimeapi.Listen(); err != nil {
			return nil, err
		}
		address = e.api.Address()
	}
	if e.group, err = f.lab.groups.Acquire(); err != nil {
		return nil, err
	}
	share := cgroup.Unlimited
	if f.lab.options.InitCPU == InitCPUProportional {
		share, e.throttled = arm.VCPUs(c.MemorySizeMB), true
	}
	if err = e.group.Limit(c.MemorySizeMB, share); err != nil {
		return nil, err
	}
	var write *os.File
	if e.output, write, err = openOutput(e.log); err != nil {
		return nil, err
	}
	defer write.Close()
	root, mounts := f.layout(c).Mounts()
	e.sandbox, err = sandbox.Begin(sandbox.Spec{
		Root: root, Mounts: mounts, Hostname: "lambda", Command: f.command(c, address, logStream), Listen: listen, Unprivileged: f.lab.unprivileged,
	}, write)
	if err != nil {
		return nil, err
	}
	// Once our own code runs there, so that what starting it took is not counted as the function's memory.
	<-e.sandbox.Alive()
	if err = e.group.Join(e.sandbox.PID()); err != nil {
		return nil, fmt.Errorf("%w: %w", sandbox.ErrBroken, err)
	}
	if err = e.sandbox.Ready(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	if listeners := e.sandbox.Listeners(); len(listeners) > 0 {
		e.api = runtimeapi.Serve(listeners[0])
		for i, door := range f.lab.options.Allow {
			e.doors = append(e.doors, door.serve(listeners[i+1]))
		}
	}
	e.group.ResetPeak()
	e.used = usage.Watch(e.sandbox.PID())
	return e, nil
}

// close ends the environment; what is left to do is done behind the caller's back.
func (e *environment) close() {
	if e.sandbox != nil {
		e.sandbox.Kill()
	}
	go func() {
		defer e.function.lab.environments.Done()
		defer close(e.done)
		if e.sandbox != nil {
			<-e.sandbox.Gone()
		}
		if e.api != nil { // only now, or the bootstrap would complain about its loss
			e.api.Close()
		}
		for _, door := range e.doors {
			door.Close()
		}
		if e.output != nil {
			e.output.close()
		}
		if e.group != nil {
			e.group.Release()
		}
		if e.used != nil {
			e.used.Close()
		}
	}()
}

// gone is closed when nothing of the environment is left.
func (e *environment) gone() <-chan struct{} { return e.done }

// lost says that process 1 is no more, as after the kernel ran out of the group's memory and chose it.
func (e *environment) lost() bool {
	select {
	case <-e.sandbox.Gone():
		return true
	default:
		return false
	}
}
