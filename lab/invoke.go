package lab

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/life"
	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/usage"
)

// defaultInitLimit is the time after which INIT is stopped and run again as part of the invocation.
const defaultInitLimit = 10 * time.Second

// Function returns the configuration of one function.
func (l *Lab) Function(name string) (api.Configuration, error) {
	f, err := l.find(name)
	if err != nil {
		return api.Configuration{}, err
	}
	return f.configuration(), nil
}

// Update changes a function's configuration. The next invocation is a cold start.
func (l *Lab) Update(name string, u api.Update) (api.Configuration, error) {
	f, err := l.latest(name)
	if err != nil {
		return api.Configuration{}, err
	}
	return f.update(u)
}

// Invoke runs a function once, in an idle environment, or in a new one if there is none. If the function fails, the
// error is nil and the result has a FunctionError.
func (l *Lab) Invoke(name string, in api.Invocation) (api.Result, error) {
	f, err := l.find(name)
	if err != nil {
		return api.Result{}, err
	}
	in.RequestID, in.TraceID = cmp.Or(in.RequestID, api.NewID()), cmp.Or(in.TraceID, newTraceID())
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	default: // the lab's limit is like the account's limit on AWS
		return api.Result{}, api.Throttled("ConcurrentInvocationLimitExceeded")
	}
	if !f.reserved.enter() {
		return api.Result{}, api.Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
	}
	defer f.reserved.leave()
	if err := f.configuration().Callable(); err != nil {
		return api.Result{}, err
	}
	e, err := f.acquire()
	if err != nil {
		return api.Result{}, err
	}
	defer f.release(e)
	if err := e.restore(); err != nil {
		return api.Result{}, err
	}
	return e.invoke(in), nil
}

// newTraceID returns the ID of an X-Ray trace that is not sampled.
func newTraceID() string {
	var b [20]byte
	rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=0", time.Now().Unix(), b[:12], b[12:])
}

// invoke runs one invocation. In a new environment it runs INIT first.
func (e *environment) invoke(in api.Invocation) api.Result {
	select {
	case <-e.life.Exited: // since the last invocation
		e.stop()
	default:
	}
	r := report{requestID: in.RequestID, ahead: e.toldInit, restore: e.toldRestore}
	e.toldInit, e.toldRestore = 0, nil
	if !e.started && !e.suppressInit {
		e.coldStart(&r)
	}
	e.log.print(e.said("start", event{RequestID: in.RequestID, Version: e.config.Version}))
	e.throttle()

	used := func() *usage.Usage { return nil }
	if r.init > 0 { // only cold starts report it, because reading it takes a third of the time of a warm invocation
		used = e.meter()
	}
	result := e.run(in, &r)
	r.firstUsed = used()
	e.life.Drain()
	if r.failure != nil {
		e.log.print(e.ended("runtimeDone", event{RequestID: in.RequestID}, r.failure))
	} else if r.initRead != nil {
		r.firstRead = e.count()
	}
	r.maxMemory = e.maxMemoryMB()
	e.log.print(e.end(r))
	if own := r.counts(); own != nil {
		e.log.add(line("lab.report", own), in.Counts)
	}
	result.Log, result.LogStream = e.log.take(), e.logStream
	return result
}

// coldStart runs INIT before the invocation. If INIT fails, it runs again as part of the invocation, as on AWS.
func (e *environment) coldStart(r *report) {
	used := e.meter()
	took, why := e.start(e.function.lab.initLimit)
	r.initUsed = used()
	if why != nil {
		e.life.Drain()
		e.log.print(e.initReport(took, why, "init"))
		e.stop()
		return
	}
	r.init = took
	r.initRead, r.counted = e.count(), e.code.counted
}

// meter starts to count what the environment's processes use. The function that it returns says what they used since
// then, or nil if they are gone.
func (e *environment) meter() func() *usage.Usage {
	before, err := e.used.Read()
	return func() *usage.Usage {
		after, gone := e.used.Read()
		if err != nil || gone != nil {
			return nil
		}
		return new(after.Minus(before))
	}
}

// throttle sets the CPU quota, unless it is set already. An INIT before the invocation has no quota, except with
// ProportionalInit or provisioned concurrency. The stop of an environment has no quota.
func (e *environment) throttle() {
	if !e.throttled {
		e.throttled = e.group.SetCPU(arm.VCPUs(e.config.MemorySizeMB)) == nil
	}
}

// failed returns the answer that a caller gets after a failure.
func failed(f *failure, requestID string, timeout time.Duration) api.Result {
	return api.Result{Payload: f.payload(requestID, timeout), FunctionError: "Unhandled"}
}

// run delivers the event. The invocation ends when the bootstrap asks for another event or has ended, or at the
// time-out. run sets duration and failure of r. A failure that the bootstrap reports itself is in the answer and in
// r.reported.
func (e *environment) run(in api.Invocation, r *report) api.Result {
	timeout := time.Duration(e.config.TimeoutSeconds) * time.Second
	began := time.Now()
	var got *api.Result
	fail := func(f *failure, at time.Time) api.Result {
		e.lookAtMemory() // before the processes are gone
		r.duration, r.failure = min(at.Sub(began), timeout), f
		if f.timeout {
			r.duration = timeout
		}
		e.stop()
		if got != nil { // the bootstrap had answered before it ended
			return *got
		}
		return failed(f, in.RequestID, timeout)
	}
	suppressed := !e.started
	if suppressed { // INIT as part of the invocation
		if took, why := e.start(timeout); why != nil {
			e.life.Drain()
			e.log.print(e.initReport(took, why, "invoke"))
			return fail(why, time.Now())
		}
		e.suppressInit = false
	}
	deadline := began.Add(timeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	event := &runtimeapi.Invocation{RequestID: in.RequestID, Deadline: deadline, ARN: cmp.Or(in.ARN, e.config.ARN),
		TraceID: in.TraceID, ClientContext: in.ClientContext, Payload: in.Payload}
	// next: the bootstrap has asked for another event, but extensions are still busy.
	for next := false; ; {
		n := e.life.Wait(ctx, event)
		if n.Ending == life.Exited && got == nil {
			n.Event, _ = e.life.LastWords()
		}
		switch {
		case n.Ending == life.Delivered:
			if event = nil; !suppressed {
				began = n.At
			}
			continue
		case n.Ending != life.Called && n.Event.RequestID == "": // the bootstrap has ended without an answer
		case n.Event.Kind == runtimeapi.Response:
			got = &api.Result{Payload: n.Event.Body}
		case n.Event.Kind == runtimeapi.Failure:
			r.reported = reported(n.Event)
			got = new(failed(r.reported, in.RequestID, timeout))
		case n.Event.Kind == runtimeapi.TooLarge:
			r.reported = &failure{kind: "Function.ResponseSizeTooLarge",
				message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).",
					runtimeapi.MaxResponse)}
			got = new(failed(r.reported, in.RequestID, timeout))
		case n.Event.Kind == runtimeapi.Next && got != nil, n.Event.Kind == runtimeapi.Extension && next:
			// A Next before the answer means that the bootstrap asks again for this event, on another connection.
			if next = true; !e.life.Working() {
				r.duration = n.At.Sub(began)
				return *got
			}
		}
		if n.Ending != life.Called {
			return fail(e.failure(n), n.At)
		}
	}
}

// count counts the package's pages that are in memory. It returns nil if that is not possible.
func (e *environment) count() *coldfs.Read {
	pkg := e.code.pkg
	root := pkg.Folder()
	if root == "" {
		if root = e.life.Root(); !e.code.atRoot {
			root += sandbox.TaskRoot
		}
	}
	got, err := pkg.Count(root)
	if err != nil {
		e.log.add(fmt.Sprintf("LAB Warning: %v\n", err), false)
		return nil
	}
	return &got
}

// lookAtMemory notes how much memory was used so far, and returns whether control groups limit it.
func (e *environment) lookAtMemory() (limited bool) {
	bytes, limited := e.group.PeakMemory()
	if !limited {
		bytes = e.life.MemoryHighWaterKiB() << 10
	}
	e.peak = max(e.peak, bytes)
	return limited
}

// nearMB is how far below the limit the peak of a killed group can be, because the kernel charges a whole huge page at
// once.
const nearMB = 8

// maxMemoryMB returns Max Memory Used. If control groups enforce the memory size, the result is at most that.
func (e *environment) maxMemoryMB() int {
	limited, size := e.lookAtMemory(), e.config.MemorySizeMB
	mb := int((e.peak + 1<<20 - 1) >> 20)
	if !limited {
		return mb // this machine does not enforce the limit
	}
	if mb > size-nearMB && e.group.OOMKilled() {
		return size
	}
	return min(mb, size)
}
