package measure

import (
	"syscall"
	"time"
)

// nap sleeps by the kernel's timers: Go's poller counts in whole milliseconds.
func nap(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // a signal may end it early
}
