package main

import (
	"syscall"
	"unsafe"
)

// run is the whole program. entry or main calls it.
func run() {
	holdStandardFiles()
	response.readEnd, response.writeEnd, stream.requests = closed, closed, closed
	f := configure()
	startPhases()
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
	mark(prepared)
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
		mark(eventRead)
		body, failure := handle()
		mark(handlerDone)
		switch {
		case stream.open:
			endStream(failure)
		case failure != nil:
			report(failure)
		default:
			succeed(body)
		}
		eventEnds()
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
		mark(workerStarted)
	}
	_ = api.client.Connect() // the first request reports an error again
	mark(connected)
	if !perEvent() {
		f := theWorker.becomeReady(0)
		mark(workerReady)
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

// openNull opens /dev/null.
func openNull() int {
	const path = "/dev/null\x00"
	at := -100 // AT_FDCWD
	fd, _, errno := syscall.RawSyscall6(syscall.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(unsafe.StringData(path))),
		syscall.O_RDWR|syscall.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return closed
	}
	return int(fd)
}
