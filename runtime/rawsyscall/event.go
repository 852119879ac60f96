package main

import (
	"syscall"
	"unsafe"
)

// contextFile is the file in memory that tells the worker of each event.
var contextFile = closed

// handle gives the current event to the handler. It gives the output, or why there is none. The read end of a worker's response
// stays open until the next event: its stdout is that pipe for some microseconds more, and a trap that prints then must not end it.
func handle() ([]byte, *failure) {
	resetTail()
	shut(&response.readEnd) // of the event before
	response.n = 0
	event, errno := memoryFile()
	if errno != 0 {
		return nil, cannotStart(errno)
	}
	single := settings.isolation == byProcess || handler.function == ""
	if errno = writeAt(event, current.event, nil); errno == 0 {
		var flags uintptr // a process inherits the write end; the worker opens it anew
		if !single {
			flags = nonBlocking
		}
		response.readEnd, response.writeEnd, errno = pipe(flags)
	}
	if errno != 0 {
		shut(&event)
		return nil, cannotStart(errno)
	}
	w := &theWorker
	var failure *failure
	if single {
		failure = w.startOne(event)
	} else {
		failure = w.call(event)
	}
	if failure == nil {
		failure = w.finish(single)
	}
	shut(&event)
	shut(&response.writeEnd)
	if single {
		shut(&response.readEnd)
	}
	if failure != nil {
		return nil, failure
	}
	return response.memory[:response.n], nil
}

// call starts the function in the worker, which is replaced first where it has ended since.
func (w *worker) call(event int) *failure {
	if w.pid != 0 && !w.alive() {
		w.end()
		w.drainStderr()
		shut(&w.stderr)
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
	resetTail()
	if !current.writeContext(contextFile, nameOf(event, numbers.event[:]), nameOf(response.writeEnd, numbers.response[:]), &w.fields) {
		return cannotStart(syscall.ENOSPC)
	}
	_ = send(w.control, bytesOf("!")) // an error is the worker's end, which attend finds
	return nil
}

// becomeReady waits until the worker has sourced the handler.
func (w *worker) becomeReady(until int64) *failure {
	resetTail()
	end, line := w.attend(until)
	for end == answeredStatus && line != "ready" {
		w.traps = w.traps || isTrap(line)
		end, line = w.attend(until)
	}
	if end == answeredStatus {
		w.ready = true
		return nil
	}
	status := w.end()
	w.drainStderr()
	shut(&w.stderr)
	if end == timedOut {
		return timeOut()
	}
	kind := "Runtime.HandlerInitFailed"
	if status.Exited() && status.ExitStatus() == 127 {
		kind = "Runtime.NoSuchFunction"
	}
	return ended(kind, kind, status)
}

// startOne starts a process for the event alone.
func (w *worker) startOne(event int) *failure {
	starting.path, starting.argv = handler.file, [16]*byte{handler.file}
	if handler.function != "" {
		starting.path = unsafe.StringData(shell)
		starting.argv = [16]*byte{starting.path, unsafe.StringData("-c\x00"), unsafe.StringData(processScript), starting.path,
			handler.file, unsafe.StringData(handler.function)}
	}
	starting.stdin, starting.stdout, starting.control = event, response.writeEnd, closed
	n := inherited.n
	current.exportContext()
	f := w.spawn()
	inherited.entries[n], inherited.n = nil, n
	shut(&response.writeEnd)
	return f
}

// finish waits for the end of the event and says what was wrong with it.
func (w *worker) finish(single bool) *failure {
	end, line := w.attend(current.until)
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
	replaced := !single && end == gone && w.replaced()
	status := w.end()
	w.drainStderr()
	shut(&w.stderr)
	if !single {
		_ = w.start() // to be ready by the next event; why it cannot is that event's error
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
	return fail("Function.TimedOut").say("handler ").quote(settings.handler).say(" timed out: killed just before its deadline")
}

// ended is the error of a process that ended badly: its last words, or how it ended where it had none.
func ended(exited, signaled string, status syscall.WaitStatus) *failure {
	if status.Signaled() {
		f := fail(signaled)
		if words := lastWords(); words != "" {
			return f.say(words)
		}
		f.say("handler ").quote(settings.handler).say(": killed by signal ").message.int(int64(status.Signal()))
		return f.say(" (", signalName(status.Signal()), ")")
	}
	f := exitStatus(int64(status.ExitStatus()))
	f.kind = exited
	return f
}

// exitStatus is the error of a function that returned a status.
func exitStatus(code int64) *failure {
	f := fail("Function.ExitStatus")
	if words := lastWords(); words != "" {
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
		set(contextFields[i].variable, value)
	}
	set(traceVariable, inv.context[traceID])
	inherited.entries[inherited.n] = nil
}
