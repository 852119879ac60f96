//go:build unix

package lab

import (
	"errors"
	"syscall"
)

// readNow reads what a non-blocking descriptor has. again: nothing yet. n = 0 without it is the end.
func readNow(fd uintptr, p []byte) (n int, again bool) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err == syscall.EINTR {
			continue
		}
		return max(n, 0), err == syscall.EAGAIN
	}
}

// ended says that there is no process of this ID.
func ended(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
