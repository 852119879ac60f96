package main

import (
	"syscall"
	"unsafe"
)

// Numbers and flags that package syscall lacks, because it is frozen. See <linux/fcntl.h>, <linux/memfd.h>,
// <linux/poll.h>.
const (
	sysPidfdOpen   = 434
	memfdCloexec   = 1
	pollIn         = 1
	clockRealtime  = 0
	clockMonotonic = 1
)

// pollfd is struct pollfd of <poll.h>. poll ignores an entry with a negative fd.
type pollfd struct {
	fd      int32
	events  int16
	revents int16
}

// closed marks a descriptor that is not open.
const closed = -1

// open opens the file at a path. It returns closed if it cannot.
func open(path *byte, flags uintptr) int {
	at := -100 // AT_FDCWD
	fd, _, errno := syscall.RawSyscall6(syscall.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(path)),
		flags|syscall.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return closed
	}
	return int(fd)
}

// read reads once, and again if a signal interrupted it. It returns 0 at the end of the stream, and EAGAIN if
// nothing has arrived yet.
func read(fd int, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

// write writes all of b and waits while the file is full. It ignores a failure, because there is no place to report
// it.
func write(fd int, b []byte) {
	for len(b) > 0 {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch {
		case errno == 0:
			b = b[n:]
		case errno == syscall.EAGAIN: // another process may have set stderr to non-blocking
			files := [1]pollfd{{int32(fd), pollOut, 0}}
			poll(files[:], -1)
		case errno != syscall.EINTR:
			return
		}
	}
}

const (
	pollOut     = 4
	nonBlocking = syscall.O_NONBLOCK
)

// send writes all of b to a socket. A closed socket is an error and raises no signal.
func send(fd int, b []byte) syscall.Errno {
	for len(b) > 0 {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_NOSIGNAL, 0, 0)
		switch {
		case errno == 0:
			b = b[n:]
		case errno != syscall.EINTR:
			return errno
		}
	}
	return 0
}

// poll waits until a file is ready, at most for timeout in ns, or forever if timeout is negative. It returns the
// number of ready files.
func poll(files []pollfd, timeout int64) int {
	var limit *syscall.Timespec
	var t syscall.Timespec
	if timeout >= 0 {
		t.Sec, t.Nsec = timeout/1e9, timeout%1e9
		limit = &t
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(unsafe.SliceData(files))),
		uintptr(len(files)), uintptr(unsafe.Pointer(limit)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// now reads a clock in nanoseconds.
func now(clock int) int64 {
	var t syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0)
	return t.Sec*1e9 + t.Nsec
}

// pipe makes a pipe. The read end never blocks; the write end blocks unless flags is O_NONBLOCK.
func pipe(flags uintptr) (readEnd, writeEnd int, errno syscall.Errno) {
	var fds [2]int32
	_, _, errno = syscall.RawSyscall(syscall.SYS_PIPE2, uintptr(unsafe.Pointer(&fds)), syscall.O_CLOEXEC|flags, 0)
	if errno != 0 {
		return closed, closed, errno
	}
	if flags == 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fds[0]), syscall.F_SETFL, syscall.O_NONBLOCK)
	}
	return int(fds[0]), int(fds[1]), 0
}

// setPipeSize is F_SETPIPE_SZ of <fcntl.h>. largePipe is the largest size that it grants an unprivileged user. All
// pipes of a user may have 64 MiB together; beyond that every new pipe is small, also those of handlers.
const (
	setPipeSize = 1031
	largePipe   = 1 << 20
	usualPipe   = 64 << 10
	fewLoops    = 16
)

// socketPair makes two connected stream sockets.
func socketPair() (ours, theirs int, errno syscall.Errno) {
	var fds [2]int32
	_, _, errno = syscall.RawSyscall6(syscall.SYS_SOCKETPAIR, syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0,
		uintptr(unsafe.Pointer(&fds)), 0, 0)
	return int(fds[0]), int(fds[1]), errno
}

func memoryFile() (int, syscall.Errno) {
	name := [...]byte{'e', 'v', 'e', 'n', 't', 0}
	fd, _, errno := syscall.RawSyscall(sysMemfdCreate, uintptr(unsafe.Pointer(&name)), memfdCloexec, 0)
	return int(fd), errno
}

// writeAt writes two buffers one after the other to the start of a file.
func writeAt(file int, first, second []byte) syscall.Errno {
	for at := 0; at < len(first)+len(second); {
		var vector [2]syscall.Iovec
		head := first[min(at, len(first)):]
		rest := second[max(at-len(first), 0):]
		vector[0].Base, vector[0].Len = unsafe.SliceData(head), uint64(len(head))
		vector[1].Base, vector[1].Len = unsafe.SliceData(rest), uint64(len(rest))
		n, _, errno := syscall.RawSyscall6(syscall.SYS_PWRITEV, uintptr(file),
			uintptr(unsafe.Pointer(&vector)), 2, uintptr(at), 0, 0)
		if errno != 0 && errno != syscall.EINTR {
			return errno
		}
		if errno == 0 {
			at += int(n)
		}
	}
	return 0
}

// shut closes a descriptor that may be closed already.
func shut(fd *int) {
	if *fd >= 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(*fd), 0, 0)
		*fd = closed
	}
}

// kill sends a signal to a process, or with a negative pid to a group.
func kill(pid int, signal syscall.Signal) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_KILL, uintptr(pid), uintptr(signal), 0)
}

// wait reaps a child and returns its pid. With options WNOHANG it returns 0 if no child has ended.
func wait(pid, options int) (int, syscall.WaitStatus) {
	var status int32
	for {
		reaped, _, errno := syscall.RawSyscall6(syscall.SYS_WAIT4, uintptr(pid),
			uintptr(unsafe.Pointer(&status)), uintptr(options), 0, 0, 0)
		if errno == 0 {
			return int(reaped), syscall.WaitStatus(status)
		}
		if errno != syscall.EINTR {
			return closed, 0
		}
	}
}

func exit(status int) {
	for {
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(status), 0, 0)
	}
}

// meaning returns the text of an error number. It avoids the method Error for unknown numbers, because that
// allocates.
func meaning(errno syscall.Errno) string {
	const last = 133 // EHWPOISON
	if errno > last {
		return "unknown error"
	}
	return errno.Error()
}

// signalName returns the text of a signal and avoids allocation in the same way.
func signalName(signal syscall.Signal) string {
	if signal > syscall.SIGSYS {
		return "real-time"
	}
	return signal.String()
}
