package perevent

import (
	"syscall"
	"time"
	"unsafe"
)

// memoryFile returns an anonymous file in memory with this content, at offset 0 and closed on exec. An event can be
// too long for an argument (128 KiB), and a pipe cannot be read in blocks.
func memoryFile(content []byte) (fd int, err error) {
	name := [...]byte{'e', 'v', 'e', 'n', 't', 0}
	const closeOnExec = 1 // MFD_CLOEXEC
	r, _, errno := syscall.Syscall(sysMemfdCreate, uintptr(unsafe.Pointer(&name[0])), closeOnExec, 0)
	if errno != 0 {
		return -1, errno
	}
	fd = int(r)
	for at := 0; at < len(content); {
		n, err := syscall.Pwrite(fd, content[at:], int64(at))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			syscall.Close(fd)
			return -1, err
		}
		at += n
	}
	return fd, nil
}

// openProcess returns a descriptor that becomes readable when the child has ended. The child must not have been
// reaped. SysProcAttr.PidFD would save this call, but it needs a flag of clone that emulators (qemu-user 7.2) do
// not know.
func openProcess(pid int) (fd int, err error) {
	const pidfdOpen = 434 // the same number on every architecture
	r, _, errno := syscall.Syscall(pidfdOpen, uintptr(pid), 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}

// pollfd is struct pollfd of <poll.h>.
type pollfd struct {
	fd      int32
	events  int16
	revents int16
}

const pollIn = 1

// poll waits until a file is ready, at most for timeout, or forever if timeout is negative. It returns the number
// of ready files.
func poll(files []pollfd, timeout time.Duration) (int, error) {
	var limit *syscall.Timespec
	if timeout >= 0 {
		t := syscall.NsecToTimespec(int64(timeout))
		limit = &t
	}
	n, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&files[0])), uintptr(len(files)),
		uintptr(unsafe.Pointer(limit)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// read reads once, and again if a signal interrupted it.
func read(fd int, b []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, b)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// WriteLog writes to stderr, which is the log. It ignores a failure, because there is no place to report it.
func WriteLog(b []byte) {
	for len(b) > 0 {
		n, err := syscall.Write(2, b)
		if err != nil && err != syscall.EINTR && err != syscall.EAGAIN {
			return
		}
		b = b[max(n, 0):]
	}
}
