package usage

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Counter counts what a thread uses, and what all threads and processes that it starts use.
type Counter struct {
	pid   int
	clock int   // perf event; -1 if it could not be opened
	why   error // why it could not be opened
}

// Watch starts to count for the thread that will fork a process tree. On some machines unprivileged processes may not
// count CPU (perf_event_paranoid). Then NoCPU returns the reason.
func Watch(pid int) *Counter {
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_TASK_CLOCK,
		Bits: unix.PerfBitInherit, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{}))}
	fd, err := unix.PerfEventOpen(&attr, pid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return &Counter{pid, -1, os.NewSyscallError("perf_event_open", err)}
	}
	return &Counter{pid, fd, nil}
}

// NoCPU returns the reason why CPU is not counted, or nil if it is.
func (c *Counter) NoCPU() error { return c.why }

// Read returns what was used so far.
func (c *Counter) Read() (u Usage, err error) {
	if c.clock >= 0 {
		var raw [8]byte
		if _, err := unix.Read(c.clock, raw[:]); err != nil {
			return u, os.NewSyscallError("read(perf event)", err)
		}
		u.CPU = time.Duration(binary.NativeEndian.Uint64(raw[:]))
	}
	for pid := range Tree(c.pid) {
		if !u.addFaults(pid) && pid == c.pid {
			return u, fmt.Errorf("counting page faults: process %d is gone", c.pid)
		}
	}
	return u, nil
}

// Close frees the counter.
func (c *Counter) Close() {
	if c.clock >= 0 {
		unix.Close(c.clock)
	}
}

// addFaults adds the page faults of a process and of the children that it has waited for, which have ended. It returns
// false if the process is gone.
func (u *Usage) addFaults(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest) // starts with the third field of proc_pid_stat(5), state
	if len(fields) < 11 {
		return false
	}
	number := func(n int) (x int64) { x, _ = strconv.ParseInt(fields[n-3], 10, 64); return x }
	u.MinorFaults += number(10) + number(11)
	u.MajorFaults += number(12) + number(13)
	return true
}
