package main

import (
	"syscall"
	"unsafe"

	"github.com/twinstart/twinstart/runtime/handlerlib"
)

// files are the files of the current event. After GET /next has been sent they are the files of the next event: to
// make them takes 10 us, and nothing waits for it at that time.
var files = struct {
	event   int // the file in memory with the number eventNumber
	readEnd int // of the pipe whose write end has the number responseNumber
	used    bool
}{event: closed, readEnd: closed}

// contextFile is the file in memory that holds each event's context. This process and the worker share its
// position.
var contextFile = closed

// prepareFiles makes the files of an event if they do not exist yet.
func prepareFiles() syscall.Errno {
	if files.used {
		files.used = false
		shut(&files.event)
		shut(&response.writeEnd)
		if contextFile >= 0 && len(current.event) > maxContext { // free the memory of a large event
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
		var flags uintptr // a process per event inherits the write end; a worker opens it again by name
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

// enlarge enlarges a pipe and returns its size in bytes. A function that writes less never waits for this process,
// see patience.
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

// moveTo moves a file to another descriptor number.
func moveTo(number, fd int) (int, syscall.Errno) {
	_, _, errno := syscall.RawSyscall(syscall.SYS_DUP3, uintptr(fd), uintptr(number), syscall.O_CLOEXEC)
	shut(&fd)
	if errno != 0 {
		return closed, errno
	}
	return number, 0
}

// selfMemory holds "/proc/<pid>/fd/", the folder in which the worker finds this process's files.
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

// nameOf returns the path of one of this process's descriptors as a C string.
func nameOf(fd int, memory []byte) *byte {
	t := in(memory)
	return unsafe.SliceData(t.add(self).int(int64(fd)).byte(0).bytes)
}

// libraryMemory holds TWINSTART_LIB=/proc/<pid>/fd/<number>. The library is in a file in memory, so a package need
// not contain it, and a handler that does not use it does not read it.
var libraryMemory [96]byte

// offerLibrary sets TWINSTART_LIB for handlers.
func offerLibrary() *failure {
	file, errno := memoryFile()
	if errno == 0 {
		errno = writeAt(file, bytesOf(handlerlib.Script), nil)
	}
	if errno != 0 {
		return cannotStart(errno)
	}
	t := in(libraryMemory[:])
	t.add("TWINSTART_LIB=", self).int(int64(file)).byte(0)
	inheritString(t.string())
	return nil
}
