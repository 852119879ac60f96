//go:build unix

package builder

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes a lock that belongs to the open file, not the process, so that goroutines too exclude each other.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	return err == nil, err
}
