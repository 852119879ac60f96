package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/usage"
)

// settle is how long calls on their way get to be seen.
const settle = 5 * time.Millisecond

// Quiet is a process tree that sleeps in so many looks one after another, so far apart; one that never does is counted all the same.
const (
	quietLooks = 3
	lookEvery  = 2 * time.Millisecond
	quietLimit = 250 * time.Millisecond
)

// quiet waits until the bootstrap has nothing more to do than to wait for an answer, and what it asked for has been read. Threads are still
// at work when one of them has sent GET /next: to stop them there and then, or to count after a fixed time, makes counts differ by
// how busy the machine is.
func (r *running) quiet() {
	end := time.Now().Add(quietLimit)
	for looks := 0; looks < quietLooks && time.Now().Before(end); looks++ {
		time.Sleep(lookEvery)
		for pid := range usage.Tree(r.env.PID()) {
			if pid != r.env.PID() && !usage.Asleep(pid) {
				looks = -1
				break
			}
		}
	}
}

// running is one execution environment with its Runtime API.
type running struct {
	env   *sandbox.Environment
	api   *runtimeapi.Server
	calls *recorder
	out   *tail
	limit time.Duration
}

// begin sets an environment up; nothing runs in it yet.
func (p *Prober) begin(pkg *Package, pl plan, argv []string) (_ *running, err error) {
	r := &running{limit: p.options.Limit}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if pl.pkg.Folder() != "" {
		if err := pl.pkg.Drop(); err != nil {
			return nil, err
		}
	}
	if r.api, err = runtimeapi.Listen(); err != nil {
		return nil, err
	}
	if r.calls, err = record(r.api.Address()); err != nil {
		return nil, fmt.Errorf("starting a Runtime API server: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("opening a log: %w", err)
	}
	defer write.Close()
	r.out = follow(read)
	root, mounts := pl.mounts()
	env := lab.Variables(pkg.configuration(), pkg.variables(), r.calls.address(), "probe")
	if pl.startsGo {
		env = withoutPreemption(env)
	}
	r.env, err = sandbox.Begin(sandbox.Spec{Root: root, Mounts: mounts, Hostname: "lambda", Unprivileged: p.unprivileged,
		Command: sandbox.Command{Argv: argv, Env: env, Dir: pkg.dir()}}, write)
	if err != nil {
		return nil, err
	}
	if err := r.env.Ready(); err != nil {
		return nil, fmt.Errorf("%s: %w", pkg.Name, err)
	}
	asOnLambda(r.env.PID())
	return r, nil
}

func (p *Package) configuration() api.Configuration {
	c := api.Configuration{Name: "probe", Handler: p.Handler, MemorySizeMB: p.MemorySizeMB, LogGroup: "/aws/lambda/probe", Environment: p.Environment}
	if c.Handler == "" && p.Image == nil {
		c.Handler = "handler.run"
	}
	if c.MemorySizeMB == 0 {
		c.MemorySizeMB = 1024
	}
	return c
}

// init releases the bootstrap and waits for GET /next.
func (r *running) init(ctx context.Context, name string) error {
	if err := r.env.Release(); err != nil {
		return err
	}
	timer := time.NewTimer(r.limit)
	defer timer.Stop()
	for {
		select {
		case event := <-r.api.Events():
			switch event.Kind {
			case runtimeapi.Next:
				return nil
			case runtimeapi.InitError:
				return r.explain(fmt.Sprintf("%s reported an error in INIT: %s", name, oneLine(event.Body)))
			}
		case start := <-r.env.Started:
			if start.Err != nil {
				return r.explain(fmt.Sprintf("%s cannot be started: %v", name, start.Err))
			}
		case exit := <-r.env.Exited:
			return r.explain(fmt.Sprintf("%s ended in INIT, before GET /next (%s)%s", name, exit.Reason(), r.called()))
		case <-r.env.Gone():
			return r.explain(fmt.Sprintf("%s ended in INIT with its environment (killed: out of memory?)", name))
		case <-timer.C:
			return r.explain(fmt.Sprintf("%s never asked for an event: no GET /2018-06-01/runtime/invocation/next within %v%s%s", name, r.limit, r.called(), waitsFor(r.env.PID(), r.calls.address())))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// called says what was asked of the Runtime API.
func (r *running) called() string {
	calls := r.calls.list()
	if len(calls) == 0 {
		return "; it called nothing of the Runtime API (AWS_LAMBDA_RUNTIME_API names its address)"
	}
	return "; it called " + strings.Join(calls, ", ")
}

// explain makes an error of what happened and of what the bootstrap wrote.
func (r *running) explain(what string) error {
	time.Sleep(20 * time.Millisecond) // the rest of the output is on its way
	out := r.out.text()
	return &Error{What: what + needs(out), Output: out}
}

// invoke delivers one event and waits for the answer. What the function does wrong is in failure.
func (r *running) invoke(ctx context.Context, event []byte) (failure string, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	id := api.NewID()
	_, err = r.api.Deliver(ctx, runtimeapi.Invocation{RequestID: id, Deadline: time.Now().Add(r.limit), ARN: "arn:aws:lambda:us-east-1:000000000000:function:probe",
		TraceID: "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0", Payload: event})
	if err != nil {
		return "", fmt.Errorf("delivering an event: %w", err)
	}
	for {
		select {
		case e := <-r.api.Events():
			switch e.Kind {
			case runtimeapi.Response:
				return "", nil
			case runtimeapi.Failure:
				return "it answered with an error: " + oneLine(e.Body) + needs(r.out.text()), nil
			case runtimeapi.TooLarge:
				return "its response is larger than 6 MB", nil
			}
		case exit := <-r.env.Exited:
			return r.wrote("it ended: " + exit.Reason()), nil
		case <-r.env.Gone():
			return "its environment ended", nil
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return r.wrote(fmt.Sprintf("no response within %v", r.limit)), nil
			}
			return "", ctx.Err()
		}
	}
}

// wrote is what happened and what the bootstrap wrote before.
func (r *running) wrote(what string) string {
	text := r.out.text()
	return (&Error{What: what + needs(text), Output: text}).Error()
}

// again kills the bootstrap and makes ready for another start on the same mounts.
func (r *running) again() error {
	if err := r.env.Stop(); err != nil {
		return err
	}
	// A call that was on its way must not be taken for one of the next bootstrap.
	r.calls.drop()
	time.Sleep(settle)
	r.api.Reset()
	return nil
}

func (r *running) close() {
	if r.env != nil {
		r.env.Kill()
		<-r.env.Gone()
	}
	if r.calls != nil {
		r.calls.close()
	}
	if r.api != nil {
		r.api.Close()
	}
	if r.out != nil {
		r.out.close()
	}
}

func oneLine(text []byte) string {
	s := strings.Join(strings.Fields(string(text)), " ")
	if len(s) > 300 {
		s = s[:300] + "..."
	}
	return s
}

// tail keeps the end of what is written to a pipe.
type tail struct {
	pipe *os.File
	done chan struct{}
	mu   sync.Mutex
	kept []byte
}

const keep = 16 << 10

func follow(pipe *os.File) *tail {
	t := &tail{pipe: pipe, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		io.Copy(t, pipe) //nolint:errcheck // ends with the environment
	}()
	return t
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if len(t.kept) > keep {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-keep:]...)
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}

func (t *tail) close() {
	t.pipe.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) //nolint:errcheck // whoever writes has ended
	<-t.done
	t.pipe.Close()
}
