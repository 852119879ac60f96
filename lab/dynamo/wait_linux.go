package dynamo

import (
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// wakes is how long a timer of the kernel, Go's poller and its scheduler take from the timer's end to this goroutine,
// at least.
const wakes = 60 * time.Microsecond

// wait returns after a time, by a timer of the kernel that ends a little earlier. Go's own timers are up to 1 ms late
// in an idle program, because Go waits in epoll, which counts whole milliseconds.
func wait(d time.Duration) {
	due := time.Now().Add(d)
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil { // too many files are open
		time.Sleep(d)
		return
	}
	file := os.NewFile(uintptr(fd), "timerfd")
	defer file.Close()
	left := max(time.Until(due)-wakes, 1)
	if unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(left))}, nil) == nil {
		file.Read(make([]byte, 8)) //nolint:errcheck // it reads how often the time was over
	}
	for time.Until(due) > 0 {
		runtime.Gosched()
	}
}
