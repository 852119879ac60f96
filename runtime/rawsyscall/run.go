package main

import (
	"syscall"
	"unsafe"

	"github.com/twinstart/twinstart/runtime/phases"
)

// run is the whole program. entry or main calls it.
func run() {
	holdStandardFiles()
	response.readEnd, response.writeEnd, stream.requests = closed, closed, closed
	f := configure()
	phases.Start(settings.phases)
	if settings.api == "" {
		die(logged("AWS_LAMBDA_RUNTIME_API is not set: start this program as a Lambda function's bootstrap"))
	}
	useAPI()
	inheritString("HOME=/tmp\x00") // the only writable folder; tools that keep a cache in $HOME need one
	if f == nil {
		f = resolve(settings.root, settings.handler)
	}
	prepareShell()
	loops.progress = closed
	phases.Mark("main")
	if f == nil && settings.concurrency > 1 {
		divideIntoLoops()
	}
	if f == nil {
		f = initialize()
	}
	switch {
	case f != nil && loops.progress >= 0:
		loopFailed(f)
	case f != nil:
		failInit(f)
	}
	if theWorker.traps {
		catchTermination()
	}
	switch {
	case loops.progress >= 0:
		loopIsReady(theWorker.traps)
	case theWorker.traps:
		registerExtension()
	}
	if settings.snapshot {
		takeSnapshot()
	}
	for {
		next()
		phases.EventBegins(current.id)
		body, failure := handle()
		phases.Mark("handlerDone")
		switch {
		case stream.open:
			endStream(failure)
		case failure != nil:
			report(failure)
		default:
			succeed(body)
		}
		phases.Mark("responseSent")
		write(2, phases.EventEnds())
	}
}

// initialize starts the worker first, because that takes longest, and does the rest while the worker starts.
func initialize() *failure {
	nameSelf()
	if f := offerStream(); f != nil {
		return f
	}
	if f := offerLibrary(); f != nil {
		return f
	}
	if !perEvent() {
		var errno syscall.Errno
		if contextFile, errno = memoryFile(); errno != 0 {
			return cannotStart(errno)
		}
		if f := theWorker.start(); f != nil {
			return f
		}
		phases.Mark("workerStarted")
	}
	_ = api.Client.Connect() // the first request reports an error again
	phases.Mark("connected")
	if !perEvent() {
		f := theWorker.becomeReady(0)
		phases.Mark("workerReady")
		return f
	}
	return nil
}

// holdStandardFiles opens 0, 1 and 2 if they are closed, so that no later file gets one of these numbers.
func holdStandardFiles() {
	for fd := range 3 {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0); errno != 0 {
			openNull()
		}
	}
}

func openNull() int {
	const path = "/dev/null\x00"
	return open(unsafe.StringData(path), syscall.O_RDWR)
}

// takeSnapshot follows SnapStart's protocol between INIT and the first event. Lambda makes the snapshot during GET
// /restore/next. The answer comes once in each environment that is restored. A worker that replaces this one later
// runs no hooks.
func takeSnapshot() {
	const path, failed = apiBase + "/restore/next", apiBase + "/restore/error"
	f := theWorker.runHook("before_snapshot\x00", "Runtime.BeforeSnapshotError")
	if f != nil {
		failInit(f)
	}
	if response := exchangePatiently(path); response.Status != 200 {
		die(answered("GET ", path, response))
	}
	settings.snapshot = false
	if f = theWorker.runHook("after_restore\x00", "Runtime.AfterRestoreError"); f != nil {
		failEnvironment(failed, f)
	}
}

// runHook runs a function of the handler's file, if the file defines it: in the worker, or else in a new process. Its
// stdout is the log.
func (w *worker) runHook(name, kind string) *failure {
	if !perEvent() {
		_ = send(w.control, bytesOf("!")) // an error means that the worker has ended, and attend finds that out
		return w.reach(0, kind)
	}
	if handler.function == "" {
		return nil
	}
	startShell(hookScript, unsafe.StringData(name), nil)
	starting.stdin, starting.stdout, starting.control = openNull(), closed, closed
	tail.Reset()
	f := w.spawn()
	shut(&starting.stdin)
	if f != nil {
		return f
	}
	w.attend(0)
	if status := w.bury(); !status.Exited() || status.ExitStatus() != 0 {
		return ended(kind, kind, status)
	}
	return nil
}

// hooksMemory holds the script of a worker with hooks.
var hooksMemory [8 << 10]byte
