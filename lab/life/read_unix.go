//go:build unix

package life

import (
	"syscall"
)

// readNow reads what a non-blocking descriptor has. again means that nothing has arrived yet; n = 0 without again
// is the end.
func readNow(fd uintptr, p []byte) (n int, again bool) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err == syscall.EINTR {
			continue
		}
		return max(n, 0), err == syscall.EAGAIN
	}
}
