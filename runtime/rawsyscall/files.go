package main

import (
	"syscall"
	"unsafe"
)

// Descriptors of this process that a worker opens by their names below /proc, which it is told once.
const (
	eventNumber    = 250
	responseNumber = 251
)

// files are those of the event that is being handled or, once GET /next has been sent, of the next: making them takes 10 us, which
// nobody waits for then.
var files = struct {
	event   int // in memory: eventNumber
	readEnd int // of the pipe whose write end is responseNumber
	used    bool
}{event: closed, readEnd: closed}

// contextFile is the file in memory that tells the worker of each event. Both have it open, at one position.
var contextFile = closed

// prepareFiles makes the files of an event, unless they are there.
func prepareFiles() syscall.Errno {
	if files.used {
		files.used = false
		shut(&files.event)
		shut(&response.writeEnd)
		if contextFile >= 0 && len(current.event) > maxContext { // else as much memory as the largest event would be kept
			_, _, _ = syscall.RawSyscall(syscall.SYS_FTRUNCATE, uintptr(contextFile), 0, 0)
		}
	}
	if files.event < 0 {
		fd, errno := memoryFile()
		if errno == 0 {
			files.event, errno = moveTo(eventNumber, fd)
		}
		if errno != 0 {
			return errno
		}
	}
	if files.readEnd < 0 {
		var flags uintptr // a process inherits the write end; the worker opens it anew
		if !perEvent() {
			flags = nonBlocking
		}
		readEnd, writeEnd, errno := pipe(flags)
		if errno == 0 {
			response.capacity = enlarge(writeEnd)
			response.writeEnd, errno = moveTo(responseNumber, writeEnd)
		}
		if errno != 0 {
			shut(&readEnd)
			return errno
		}
		files.readEnd = readEnd
	}
	return 0
}

// setPipeSize is F_SETPIPE_SZ of <fcntl.h>; largePipe is the most that it gives a user without rights, who may have 64 MiB in all: beyond
// that, pipes are made small, handlers' own as well.
const (
	setPipeSize = 1031
	largePipe   = 1 << 20
	usualPipe   = 64 << 10
	fewLoops    = 16
)

// enlarge gives a pipe room, and says how much it has: functions that write less never wait for this process, see patience.
func enlarge(pipe int) int {
	if perEvent() || settings.concurrency > fewLoops {
		return usualPipe
	}
	size, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(pipe), setPipeSize, largePipe)
	if errno != 0 {
		return usualPipe
	}
	return int(size)
}

// moveTo gives a file another descriptor.
func moveTo(number, fd int) (int, syscall.Errno) {
	_, _, errno := syscall.RawSyscall(syscall.SYS_DUP3, uintptr(fd), uintptr(number), syscall.O_CLOEXEC)
	shut(&fd)
	if errno != 0 {
		return closed, errno
	}
	return number, 0
}

// rewind sets a file's position to its start, for every process that shares it.
func rewind(file int) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_LSEEK, uintptr(file), 0, 0)
}

// selfMemory holds "/proc/<pid>/fd/", below which the worker finds this process's files.
var (
	selfMemory [64]byte
	self       string
	names      struct{ event, response [96]byte }
)

func nameSelf() {
	pid, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	t := in(selfMemory[:])
	self = t.add("/proc/").int(int64(pid)).add("/fd/").string()
}

// nameOf is the path of one of this process's descriptors, as a C string.
func nameOf(fd int, memory []byte) *byte {
	t := in(memory)
	return unsafe.SliceData(t.add(self).int(int64(fd)).byte(0).bytes)
}
