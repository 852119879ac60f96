package main

import (
	"syscall"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// Descriptors of this process. A worker learns their names below /proc once and opens them for each event.
const (
	eventNumber    = 250
	responseNumber = 251
)

// perEvent reports whether each event gets its own process, so that there is no worker.
func perEvent() bool { return settings.isolation == byProcess || handler.function == "" }

// tail is the end of stderr, which becomes the message of an error.
var tail runtimeapi.Tail

// handle gives the current event to the handler and returns the handler's output, or a failure. Until this event has
// started, the worker's stdout is still the pipe of the previous response. The read end of that pipe stays open until
// then, so that a trap that prints does not end the worker.
func handle() ([]byte, *failure) {
	tail.Reset()
	response.large, response.n = response.n > response.capacity, 0
	errno := prepareFiles()
	if errno == 0 {
		errno = writeAt(files.event, current.event, nil)
		files.used = true
	}
	if errno != 0 {
		return nil, cannotStart(errno)
	}
	before := response.readEnd
	response.readEnd, files.readEnd = files.readEnd, closed
	w := &theWorker
	var failure *failure
	if perEvent() {
		failure = w.startOne()
	} else {
		failure = w.call()
	}
	shut(&before)
	if failure == nil {
		failure = w.finish()
	}
	if perEvent() {
		shut(&response.readEnd)
	}
	if failure != nil {
		return nil, failure
	}
	return response.memory[:response.n], nil
}

// call starts the function in the worker. If the worker has ended since the last event, call starts another one
// first.
func (w *worker) call() *failure {
	if w.pid != 0 && !w.alive() {
		w.bury()
	}
	if w.pid == 0 {
		if f := w.start(); f != nil {
			return f
		}
	}
	if !w.ready {
		if f := w.becomeReady(current.until); f != nil {
			return f
		}
	}
	tail.Reset()
	if !current.writeContext(contextFile, &w.fields) {
		return cannotStart(syscall.ENOSPC)
	}
	_ = send(w.control, bytesOf("!")) // an error means that the worker has ended, and attend finds that out
	return nil
}

// becomeReady waits until the worker has sourced the handler.
func (w *worker) becomeReady(until int64) *failure {
	return w.reach(until, "Runtime.HandlerInitFailed")
}

// reach waits until the worker waits for an event, or for a hook if a snapshot is going to be made.
func (w *worker) reach(until int64, kind string) *failure {
	goal := "ready"
	if settings.snapshot {
		goal = "hook"
	}
	tail.Reset()
	end, line := w.attend(until)
	for end == answeredStatus && line != goal {
		w.traps = w.traps || isTrap(line)
		end, line = w.attend(until)
	}
	if end == answeredStatus {
		w.ready = !settings.snapshot
		return nil
	}
	status := w.bury()
	if end == timedOut {
		return timeOut()
	}
	if kind == "Runtime.HandlerInitFailed" && status.Exited() && status.ExitStatus() == 127 {
		kind = "Runtime.NoSuchFunction"
	}
	return ended(kind, kind, status)
}

// startOne starts a process for this event alone.
func (w *worker) startOne() *failure {
	starting.path, starting.argv = handler.file, [16]*byte{handler.file}
	if handler.function != "" {
		startShell(processScript, nil, nil)
	}
	starting.stdin, starting.stdout, starting.control = files.event, response.writeEnd, closed
	n := inherited.n
	current.exportContext()
	f := w.spawn()
	inherited.entries[n], inherited.n = nil, n
	shut(&response.writeEnd)
	return f
}

// finish waits for the end of the event and returns its failure, or nil.
func (w *worker) finish() *failure {
	end, line := w.attend(current.until)
	if end == answeredStatus && line == "lost" { // an earlier function has replaced the context file: use another worker
		w.bury()
		if f := w.call(); f != nil {
			return f
		}
		end, line = w.attend(current.until)
	}
	var code int64
	if end == answeredStatus {
		n, ok := decimal(line)
		if code = n; ok && code == 0 {
			return nil
		}
		if ok {
			return exitStatus(code)
		}
	}
	replaced := !perEvent() && end == gone && w.replaced()
	status := w.bury()
	if !perEvent() {
		_ = w.start() // so that it is ready for the next event; if this fails, call fails then
	}
	switch {
	case end == timedOut:
		return timeOut()
	case end == overflowed:
		return tooLarge(response.n)
	case replaced:
		return fail("Function.ShellReplaced").say("handler ").quote(settings.handler).
			say(" replaced its shell by exec: leave exec out, or set TWINSTART_ISOLATION=subshell")
	case status.Exited() && status.ExitStatus() == 0:
		return nil
	}
	return ended("Function.ExitStatus", "Function.Signal", status)
}

func timeOut() *failure {
	return fail("Function.TimedOut").say("handler ").quote(settings.handler).
		say(" timed out: killed just before its deadline")
}

// ended returns the failure of a process that ended badly. Its message is the tail of stderr, or how the process
// ended if stderr was empty.
func ended(exited, signaled string, status syscall.WaitStatus) *failure {
	if status.Signaled() {
		f := fail(signaled)
		if words := asString(tail.Message()); words != "" {
			return f.say(words)
		}
		f.say("handler ").quote(settings.handler).say(": killed by signal ").message.int(int64(status.Signal()))
		return f.say(" (", signalName(status.Signal()), ")")
	}
	f := exitStatus(int64(status.ExitStatus()))
	f.kind = exited
	return f
}

// exitStatus returns the failure of a function that returned a status other than 0.
func exitStatus(code int64) *failure {
	f := fail("Function.ExitStatus")
	if words := asString(tail.Message()); words != "" {
		return f.say(words)
	}
	f.say("handler ").quote(settings.handler).say(": exit status ").message.int(code)
	return f
}

// exportContext adds the context to the environment of the process that is about to start.
func (inv *invocation) exportContext() {
	t := text{contextMemory[:0]}
	set := func(name, value string) {
		if value != "" {
			start := len(t.bytes)
			t.add(name, "=", value).byte(0)
			inheritString(asString(t.bytes[start:]))
		}
	}
	for i, value := range inv.context {
		set(runtimeapi.Fields[i].Variable, value)
	}
	set(runtimeapi.TraceVariable, inv.context[runtimeapi.TraceID])
	inherited.entries[inherited.n] = nil
}

// invocation is the current event. A field that the API did not send is "". id and attempt are copies; the rest is
// valid until the next request.
type invocation struct {
	context runtimeapi.Context
	event   []byte
	until   int64 // time to kill the handler, on the monotonic clock, in ns; 0: never
	id      string
	attempt string // value of runtimeapi.HeaderInvocationID, which is sent back with the outcome
}

var (
	current       invocation
	idMemory      [256]byte
	attemptMemory [256]byte
)

// margin is the time before the deadline, in ns, at which a handler is killed. It leaves time to report that before
// Lambda ends the environment. With 128 MB a process may run 1.4 ms of every 20 ms, so margin is several such
// periods.
const margin = 100e6

// setDeadline computes current.until from the deadline, which is Unix time in ms.
func (inv *invocation) setDeadline() {
	inv.until = 0
	if ms, ok := decimal(inv.context[runtimeapi.DeadlineMS]); ok && ms < 1<<42 {
		inv.until = max(now(clockMonotonic)+(ms*1e6-now(clockRealtime))-margin, 1)
	}
}

// writeContext writes what the worker reads: "same" or "changed", the fields of the context, and the event as the
// function's argument. "same" means that the same fields are present as in the previous event; sent remembers
// which. Like any Bash variable, the argument ends at its first NUL.
func (inv *invocation) writeContext(file int, sent *uint) bool {
	var fields uint = 1 << len(inv.context)
	for i, value := range inv.context {
		if value != "" {
			fields |= 1 << i
		}
	}
	what := "same"
	if fields != *sent {
		what = "changed"
	}
	*sent = fields
	t := text{contextMemory[:0]}
	t.add(what).byte(0)
	for _, value := range inv.context {
		t.add(value).byte(0)
	}
	end := inv.event[len(inv.event) : len(inv.event)+1] // api.body has one byte more than the largest event
	end[0] = 0
	errno := writeAt(file, t.bytes, inv.event[:len(inv.event)+1])
	_, _, _ = syscall.RawSyscall(syscall.SYS_LSEEK, uintptr(file), 0, 0) // rewinds it for every process that shares it
	return errno == 0
}

// maxContext, in bytes, is more than all fields together can have, because httpwire.MaxHead limits them.
const maxContext = 72 << 10

var contextMemory [maxContext]byte
