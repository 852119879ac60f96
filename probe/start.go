package probe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/life"
	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/sandbox/inside"
	"github.com/twinstart/twinstart/lab/usage"
)

// A process tree is quiet if it sleeps at quietLooks looks in a row, lookEvery apart. After quietLimit it is counted
// anyway.
const (
	quietLooks = 3
	lookEvery  = 2 * time.Millisecond
	quietLimit = 250 * time.Millisecond
)

// quiet waits until the bootstrap does nothing but wait for an answer. Other threads still work when one has sent GET
// /next. If they were stopped at once, or counted after a fixed time, counts would depend on how busy the machine is.
func (r *running) quiet() {
	end := time.Now().Add(quietLimit)
	for looks := 0; looks < quietLooks && time.Now().Before(end); looks++ {
		time.Sleep(lookEvery)
		for pid := range usage.Tree(r.PID()) {
			if pid != r.PID() && !usage.Asleep(pid) {
				looks = -1
				break
			}
		}
	}
}

// running is one execution environment with the output of its bootstrap.
type running struct {
	*life.Environment
	name  string // of the package
	event []byte
	out   *tail
	limit time.Duration // of INIT, and of an invocation
}

// begin sets up an environment. Nothing runs in it yet.
func (p *Prober) begin(pl plan) (*running, error) {
	if pl.content.Folder() != "" {
		if err := pl.content.Drop(); err != nil {
			return nil, err
		}
	}
	r := &running{name: pl.Name, event: pl.event(p.options.Event), out: &tail{}, limit: p.options.Limit}
	root, mounts := pl.mounts()
	spec := sandbox.Spec{Root: root, Mounts: mounts, Unprivileged: p.unprivileged, Listen: p.listen}
	var err error
	if r.Environment, err = life.Start(p.unprivileged, len(p.listen) > 0, nil); err == nil {
		err = r.Begin(spec, r.out, func(address string) sandbox.Command {
			env := lab.Variables(pl.configuration(), pl.variables(), address, "probe")
			if pl.program.startsGo {
				env = withoutPreemption(env)
			}
			return sandbox.Command{Argv: pl.program.argv, Env: env, Dir: pl.dir()}
		})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pl.Name, err)
	}
	asOnLambda(r.PID())
	return r, nil
}

// configuration returns the settings that become the function's environment variables.
func (p *Package) configuration() api.Configuration {
	c := api.Configuration{Name: "probe", Handler: p.Handler, MemorySizeMB: cmp.Or(p.MemorySizeMB, 1024),
		LogGroup: "/aws/lambda/probe", Environment: p.Environment}
	if c.Handler == "" && p.Image == nil {
		c.Handler = "handler.run"
	}
	return c
}

// init releases the bootstrap and waits for GET /next.
func (r *running) init(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	switch _, n := r.Init(limited); n.Ending {
	case life.Called:
		if n.Event.Kind == runtimeapi.Next {
			return nil
		}
		return r.explain("%s reported an error in INIT: %s", r.name, oneLine(n.Event.Body))
	case life.Unstarted:
		return r.explain("%s cannot be started: %v", r.name, n.Err)
	case life.Exited:
		return r.explain("%s ended in INIT, before GET /next (%s)%s", r.name, n.Exit.Reason(), r.called())
	case life.Lost:
		return r.explain("%s ended in INIT with its environment (killed: out of memory?)", r.name)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return r.explain("%s never asked for an event: no GET /2018-06-01/runtime/invocation/next within %v%s",
		r.name, r.limit, r.called())
}

// called describes the calls of the Runtime API.
func (r *running) called() string {
	if calls := r.API.Calls(); len(calls) > 0 {
		return "; it called " + strings.Join(calls, ", ")
	}
	return "; it never called the Runtime API (AWS_LAMBDA_RUNTIME_API names its address)"
}

// explain returns an error with the bootstrap's output.
func (r *running) explain(format string, args ...any) *Error {
	r.Drain()
	out := r.out.text()
	return &Error{What: fmt.Sprintf(format, args...) + needs(out), Output: out}
}

// invoke delivers the event and waits for the answer. failure describes an error of the function.
func (r *running) invoke(ctx context.Context) (failure string, err error) {
	limited, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	sent := &runtimeapi.Invocation{
		RequestID: api.NewID(), Deadline: time.Now().Add(r.limit), Payload: r.event, ARN: assembly.ARN("probe"),
		TraceID: "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0",
	}
	for {
		switch n := r.Wait(limited, sent); {
		case n.Ending == life.Delivered:
			sent = nil
		case n.Ending == life.Called && n.Event.Kind == runtimeapi.Response:
			return "", nil
		case n.Ending == life.Called && n.Event.Kind == runtimeapi.Failure:
			return "it answered with an error: " + oneLine(n.Event.Body) + needs(r.out.text()), nil
		case n.Ending == life.Called && n.Event.Kind == runtimeapi.TooLarge:
			return "its response is larger than 6 MB", nil
		case n.Ending == life.Exited:
			return r.explain("it ended: %s", n.Exit.Reason()).Error(), nil
		case n.Ending == life.Lost:
			return "its environment ended", nil
		case n.Ending == life.Late:
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			return r.explain("no response within %v", r.limit).Error(), nil
		}
	}
}

// plan says what an environment is made of. It is plain data.
type plan struct {
	*Package
	content      *coldfs.Package // the package, ready to be attached
	program      program         // what is started
	base         *coldfs.Package // copies of the base's files that are opened, to be mounted cold; nil mounts none
	baseKnown    bool            // base has all of the base's files that are opened
	below        sandbox.Layout
	mnt          string // a folder with the mount points root, layer and base
	stub         string // a folder with a file to mount the emulator on
	readAheadKiB int
}

// mounts computes the mounts and the folder that becomes the root.
func (p plan) mounts() (root string, mounts []sandbox.Mount) {
	var l sandbox.Layout
	if !p.scratch() {
		l = p.below
		if p.base != nil {
			base := sandbox.Layer{Name: "base", Image: p.base.Image(), Folder: p.base.Folder(), Files: paths(p.base)}
			l.Below = append(l.Below, base)
		}
		if p.stub != "" {
			l.Below = append(l.Below, sandbox.Layer{Folder: p.stub})
		}
	}
	l.Image, l.Folder, l.Files = p.content.Image(), p.content.Folder(), paths(p.content)
	l.ReadAheadKiB, l.AtRoot, l.MountOn, l.TmpMB = p.readAheadKiB, p.AtRoot, p.mnt, arm.MinTmpMB
	root, mounts = l.Mounts()
	if emulator := p.program.emulator; emulator != "" {
		mounts = append(mounts, sandbox.Mount{Kind: inside.Bind, Source: emulator, Target: "/" + emulatorPath})
	}
	return root, mounts
}

func paths(of *coldfs.Package) []string {
	return list.Map(of.Files, func(f coldfs.File) string { return f.Path })
}

// owns reports whether the package has a file at a path. Such a file hides the base's file.
func (p plan) owns(path string) bool {
	if !p.AtRoot {
		return strings.HasPrefix(path, sandbox.TaskRoot+"/")
	}
	return slices.ContainsFunc(p.content.Files, func(f coldfs.File) bool { return "/"+f.Path == path })
}
