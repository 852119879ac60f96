//go:build unix

package lab

import (
	"errors"
	"syscall"
)

// ended says that there is no process of this ID.
func ended(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
