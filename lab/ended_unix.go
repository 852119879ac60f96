//go:build unix

package lab

import (
	"errors"
	"syscall"
)

// ended reports whether no process has this ID.
func ended(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
