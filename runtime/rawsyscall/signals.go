package main

import (
	"syscall"
	"unsafe"
)

// signals is a descriptor that can be read when SIGTERM has come. It is closed if nobody wants SIGTERM; then SIGTERM
// ends the program.
var signals = closed

// signalSet is a sigset_t of 8 bytes: signals 1 to 64.
type signalSet uint64

func (s *signalSet) add(signal syscall.Signal) { *s |= 1 << (signal - 1) }

const sigBlock = 0

// block keeps signals from being delivered; they can still be read or waited for.
func (s *signalSet) block() {
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigBlock, uintptr(unsafe.Pointer(s)), 0, 8, 0, 0)
}

// wait waits for one of the signals, which must be blocked.
func (s *signalSet) wait() syscall.Signal {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(s)), 0, 0, 8, 0, 0)
		if errno == 0 {
			return syscall.Signal(n)
		}
	}
}

// catchTermination makes SIGTERM end the worker first, and then this program.
func catchTermination() {
	var set signalSet
	set.add(syscall.SIGTERM)
	set.block()
	none := closed
	fd, _, errno := syscall.RawSyscall6(syscall.SYS_SIGNALFD4, uintptr(none), uintptr(unsafe.Pointer(&set)), 8,
		syscall.O_CLOEXEC, 0, 0)
	if errno == 0 {
		signals = int(fd)
	}
}

// shutdownTime is how long, in ns, a worker may run its traps: Lambda gives the environment 500 ms. patientTime is
// the first part of it. If a trap on TERM has not ended the shell by then, the worker's input is closed, which also
// ends it. The input is not closed earlier, because a shell at the end of its input may forget a pending trap.
const (
	shutdownTime = 400e6
	patientTime  = 100e6
)

// terminate lets the worker run its traps on TERM and EXIT, then ends the program. A worker that goes on after its
// trap on TERM ends when its control channel is shut down.
func (w *worker) terminate() {
	if w.pid != 0 {
		kill(w.pid, syscall.SIGTERM)
		if !w.awaitEnd(patientTime) {
			_, _, _ = syscall.RawSyscall(syscall.SYS_SHUTDOWN, uintptr(w.control), syscall.SHUT_WR, 0)
			w.awaitEnd(shutdownTime - patientTime)
		}
		w.end()
		w.drainStderr()
	}
	exit(0)
}

// awaitEnd copies stderr to the log until the worker has ended. It returns false if the worker has not ended within
// time, in ns.
func (w *worker) awaitEnd(time int64) bool {
	until := now(clockMonotonic) + time
	for {
		files := [...]pollfd{{int32(w.pidfd), pollIn, 0}, {int32(w.stderr), pollIn, 0}}
		poll(files[:], max(until-now(clockMonotonic), 0))
		w.drainStderr()
		if files[0].revents != 0 {
			return true
		}
		if now(clockMonotonic) >= until {
			return false
		}
	}
}
