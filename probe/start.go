package probe

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/life"
	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/sandbox/inside"
	"github.com/twinstart/twinstart/lab/usage"
)

// Quiet is a process tree that sleeps in so many looks one after another, so far apart; one that never does is counted
// all the same.
const (
	quietLooks = 3
	lookEvery  = 2 * time.Millisecond
	quietLimit = 250 * time.Millisecond
)

// quiet waits until the bootstrap has nothing more to do than to wait for an answer, and what it asked for has been
// read. Threads are still at work when one of them has sent GET /next: to stop them there and then, or to count after a
// fixed time, makes counts differ by how busy the machine is.
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

// running is one execution environment with what its bootstrap wrote.
type running struct {
	*life.Environment
	out   *tail
	limit time.Duration
}

// begin sets an environment up; nothing runs in it yet.
func (p *Prober) begin(pkg *Package, pl plan, argv []string) (*running, error) {
	if pl.pkg.Folder() != "" {
		if err := pl.pkg.Drop(); err != nil {
			return nil, err
		}
	}
	r := &running{out: &tail{}, limit: p.options.Limit}
	root, mounts := pl.mounts()
	var err error
	if r.Environment, err = life.Start(p.unprivileged, len(p.listen) > 0, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", pkg.Name, err)
	}
	err = r.Begin(sandbox.Spec{Root: root, Mounts: mounts, Unprivileged: p.unprivileged, Listen: p.listen}, r.out, func(address string) sandbox.Command {
		env := lab.Variables(pkg.configuration(), pkg.variables(), address, "probe")
		if pl.startsGo {
			env = withoutPreemption(env)
		}
		return sandbox.Command{Argv: argv, Env: env, Dir: pkg.dir()}
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pkg.Name, err)
	}
	asOnLambda(r.PID())
	return r, nil
}

func (p *Package) configuration() api.Configuration {
	c := api.Configuration{Name: "probe", Handler: p.Handler, MemorySizeMB: cmp.Or(p.MemorySizeMB, 1024), LogGroup: "/aws/lambda/probe", Environment: p.Environment}
	if c.Handler == "" && p.Image == nil {
		c.Handler = "handler.run"
	}
	return c
}

// init releases the bootstrap and waits for GET /next.
func (r *running) init(ctx context.Context, name string) error {
	limited, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	switch _, n := r.Init(limited); n.Ending {
	case life.Called:
		if n.Event.Kind == runtimeapi.Next {
			return nil
		}
		return r.explain("%s reported an error in INIT: %s", name, oneLine(n.Event.Body))
	case life.Unstarted:
		return r.explain("%s cannot be started: %v", name, n.Err)
	case life.Exited:
		return r.explain("%s ended in INIT, before GET /next (%s)%s", name, n.Exit.Reason(), r.called())
	case life.Lost:
		return r.explain("%s ended in INIT with its environment (killed: out of memory?)", name)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return r.explain("%s never asked for an event: no GET /2018-06-01/runtime/invocation/next within %v%s%s", name, r.limit, r.called(),
		waitsFor(r.PID(), r.API.Address()))
}

// called says what was asked of the Runtime API.
func (r *running) called() string {
	if calls := r.API.Calls(); len(calls) > 0 {
		return "; it called " + strings.Join(calls, ", ")
	}
	return "; it called nothing of the Runtime API (AWS_LAMBDA_RUNTIME_API names its address)"
}

// explain makes an error of what happened and of what the bootstrap wrote.
func (r *running) explain(format string, args ...any) *Error {
	r.Drain()
	out := r.out.text()
	return &Error{What: fmt.Sprintf(format, args...) + needs(out), Output: out}
}

// invoke delivers one event and waits for the answer. What the function does wrong is in failure.
func (r *running) invoke(ctx context.Context, event []byte) (failure string, err error) {
	limited, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	_, err = r.API.Deliver(limited, runtimeapi.Invocation{RequestID: api.NewID(), Deadline: time.Now().Add(r.limit), Payload: event,
		ARN: "arn:aws:lambda:us-east-1:000000000000:function:probe", TraceID: "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"})
	if err != nil {
		return "", fmt.Errorf("delivering an event: %w", err)
	}
	for {
		switch n := r.Wait(limited, nil); {
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

func oneLine(text []byte) string {
	s := strings.Join(strings.Fields(string(text)), " ")
	if len(s) > 300 {
		s = s[:300] + "..."
	}
	return s
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const keep = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	t.kept = t.kept[max(0, len(t.kept)-keep):]
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}

// plan says what an environment is made of. It is plain data; mounts computes without privileges.
type plan struct {
	pkg          *coldfs.Package
	atRoot       bool            // the package's paths start at /
	scratch      bool            // and there is nothing below it
	base         *coldfs.Package // copies of the base's files that are used, cold; nil leaves the base as it is
	baseKnown    bool            // base is all that is used; nil is nothing
	below        sandbox.Layout
	mnt          string // with the empty folders root, layer and base
	startsGo     bool
	emulator     string
	stub         string // a folder with a file to bind the emulator on
	readAheadKiB int
}

// mounts computes the mounts and the folder that becomes the root.
func (p plan) mounts() (root string, mounts []sandbox.Mount) {
	var l sandbox.Layout
	if !p.scratch {
		l = p.below
	}
	l.Image, l.Folder, l.ReadAheadKiB, l.AtRoot, l.Files, l.MountOn, l.TmpMB = p.pkg.Image(), p.pkg.Folder(), p.readAheadKiB, p.atRoot, paths(p.pkg), p.mnt, 512
	if !p.scratch {
		if p.base != nil {
			l.Below = append(l.Below, sandbox.Layer{Name: "base", Image: p.base.Image(), Folder: p.base.Folder(), Files: paths(p.base)})
		}
		if p.emulator != "" {
			l.Below = append(l.Below, sandbox.Layer{Folder: p.stub})
		}
	}
	root, mounts = l.Mounts()
	if p.emulator != "" {
		mounts = append(mounts, sandbox.Mount{Kind: inside.Bind, Source: p.emulator, Target: "/" + emulatorPath})
	}
	return root, mounts
}

func paths(of *coldfs.Package) []string {
	return list.Map(of.Files, func(f coldfs.File) string { return f.Path })
}
