package dynamo

import (
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// wakes is the least time from the end of a kernel timer until Go's poller and scheduler run this goroutine.
const wakes = 60 * time.Microsecond

// wait returns after a time. It uses a kernel timer that ends a little earlier, because Go's timers are up to 1 ms late
// in an idle program: Go waits in epoll, which counts whole milliseconds.
func wait(d time.Duration) {
	due := time.Now().Add(d)
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil { // for example, too many files are open
		time.Sleep(d)
		return
	}
	file := os.NewFile(uintptr(fd), "timerfd")
	defer file.Close()
	left := max(time.Until(due)-wakes, 1)
	if unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(left))}, nil) == nil {
		file.Read(make([]byte, 8)) //nolint:errcheck // the result, how often the timer has ended, is not needed
	}
	for time.Until(due) > 0 {
		runtime.Gosched()
	}
}
