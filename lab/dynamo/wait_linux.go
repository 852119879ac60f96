package dynamo

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// wait returns after a time, by a timer of the kernel that wakes within some 0.05 ms. Go's own timers are up to 1 ms late
// in an idle program, because Go waits in epoll, which counts whole milliseconds.
func wait(d time.Duration) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil { // too many files are open
		time.Sleep(d)
		return
	}
	file := os.NewFile(uintptr(fd), "timerfd")
	defer file.Close()
	if unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil) == nil {
		file.Read(make([]byte, 8)) //nolint:errcheck // it reads how often the time was over
	}
}
