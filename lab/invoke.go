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
func (l *Lab) Update(_ context.Context, name string, u api.Update) (api.Configuration, error) {
	f, err := l.latest(name)
	if err != nil {
		return api.Configuration{}, err
	}
	return f.update(u)
}

// Invoke runs a function once, in an idle environment or else in a new one. If the function fails, the result says
// so.
func (l *Lab) Invoke(_ context.Context, name string, in api.Invocation) (api.Result, error) {
	f, err := l.find(name)
	if err != nil {
		return api.Result{}, err
	}
	if in.RequestID == "" {
		in.RequestID = api.NewID()
	}
	if in.TraceID == "" {
		in.TraceID = newTraceID()
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	default: // the lab's limit corresponds to the account's limit on AWS
		return api.Result{}, api.Throttled("ConcurrentInvocationLimitExceeded")
	}
	if !f.reserved.enter() {
		return api.Result{}, api.Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
	}
	defer f.reserved.leave()
	if err := f.active(); err != nil {
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
	e.notice()
	r := report{requestID: in.RequestID, ahead: e.toldInit, restore: e.toldRestore}
	e.toldInit, e.toldRestore = 0, nil
	if !e.started && !e.suppressInit {
		e.coldStart(&r)
	}
	e.log.print(e.said("start", event{RequestID: in.RequestID, Version: e.config.Version}))
	e.throttle()

	used := func() *usage.Usage { return nil } // only cold starts report it, and reading it takes as long as a third of a warm invocation
	if r.init > 0 {
		used = e.meter()
	}
	payload := e.run(in, &r)
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
	result := api.Result{RequestID: in.RequestID, Payload: payload.body, Log: e.log.take(), LogStream: e.logStream}
	if payload.failed {
		result.FunctionError = "Unhandled"
	}
	return result
}

// notice checks whether the bootstrap has ended since the last invocation.
func (e *environment) notice() {
	select {
	case <-e.life.Exited:
		e.stop()
	default:
	}
}

// coldStart runs INIT separately. If INIT fails, it is run again as part of the invocation, as on AWS.
func (e *environment) coldStart(r *report) {
	used := e.meter()
	init := e.start(e.function.lab.initLimit)
	r.initUsed = used()
	if init.failure != nil {
		e.life.Drain()
		e.log.print(e.initReport(init, "init"))
		e.stop()
		return
	}
	r.init = init.took
	r.initRead, r.counted = e.count(), e.code.counted
}

// meter starts to count what the environment's processes use. The function that it returns reads the count, or
// returns nil if the processes are gone.
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

// throttle sets the CPU quota. The quota does not apply during INIT or while an environment is being stopped.
func (e *environment) throttle() {
	if !e.throttled {
		e.throttled = e.group.SetCPU(arm.VCPUs(e.config.MemorySizeMB)) == nil
	}
}

// answer is the caller's answer.
type answer struct {
	body   []byte
	failed bool
}

// run delivers the event and waits until the bootstrap is ready for another event, which ends the invocation, or
// has ended. It sets duration and failure of r. If the bootstrap itself reports a failure, the invocation ends
// normally: that failure is only in the answer.
func (e *environment) run(in api.Invocation, r *report) answer {
	timeout := time.Duration(e.config.TimeoutSeconds) * time.Second
	began := time.Now()
	suppressed := !e.started
	if suppressed { // INIT as part of the invocation
		init := e.start(timeout)
		if init.failure != nil {
			e.life.Drain()
			e.log.print(e.initReport(init, "invoke"))
			e.stop()
			r.duration, r.failure = min(time.Since(began), timeout), init.failure
			if init.failure.timeout {
				r.duration = timeout
			}
			return answer{init.failure.payload(in.RequestID, timeout), true}
		}
		e.suppressInit = false
	}
	deadline := began.Add(timeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	event := &runtimeapi.Invocation{RequestID: in.RequestID, Deadline: deadline, ARN: cmp.Or(in.ARN, e.config.ARN),
		TraceID: in.TraceID, ClientContext: in.ClientContext, Payload: in.Payload}
	var got *answer
	fail := func(f *failure, at time.Time) answer {
		e.lookAtMemory() // before the processes are gone
		r.duration, r.failure = at.Sub(began), f
		if f.timeout {
			r.duration = timeout
		}
		e.stop()
		if got != nil { // the bootstrap had answered before it ended
			return *got
		}
		return answer{f.payload(in.RequestID, timeout), true}
	}
	for next := false; ; { // next: the bootstrap has asked for another event, but extensions are still busy
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
			got = &answer{body: n.Event.Body}
		case n.Event.Kind == runtimeapi.Failure:
			r.reported = reported(n.Event)
			got = &answer{r.reported.payload(in.RequestID, timeout), true}
		case n.Event.Kind == runtimeapi.TooLarge:
			r.reported = &failure{kind: "Function.ResponseSizeTooLarge",
				message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", runtimeapi.MaxResponse)}
			got = &answer{r.reported.payload(in.RequestID, timeout), true}
		case n.Event.Kind == runtimeapi.Next && got != nil, n.Event.Kind == runtimeapi.Extension && next: // without an answer, it asked again on another connection
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

// nearMB is how far below the limit the kernel may kill: it charges a huge page at once.
const nearMB = 8

// maxMemoryMB returns Max Memory Used. If control groups enforce the memory size, the result is never larger than
// that.
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
