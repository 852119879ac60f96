package measure

import (
	"syscall"
	"time"
)

// nap sleeps with the kernel's timers, because Go's poller counts whole milliseconds.
func nap(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // a signal may end it early
}
