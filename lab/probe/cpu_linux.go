package probe

import (
	"encoding/binary"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// counters count for a thread and all that it starts, those that have ended included.
type counters struct{ fds []int }

// usage is CPU time and page faults.
type usage struct {
	cpu          time.Duration
	minor, major int64
}

// countTree opens counters on the thread that a bootstrap is forked from.
func countTree(pid int) (*counters, error) {
	c := &counters{}
	for _, event := range []uint64{unix.PERF_COUNT_SW_TASK_CLOCK, unix.PERF_COUNT_SW_PAGE_FAULTS_MIN, unix.PERF_COUNT_SW_PAGE_FAULTS_MAJ} {
		attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: event, Bits: unix.PerfBitInherit, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{}))}
		fd, err := unix.PerfEventOpen(&attr, pid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err != nil {
			c.close()
			return nil, os.NewSyscallError("perf_event_open", err)
		}
		c.fds = append(c.fds, fd)
	}
	return c, nil
}

func (c *counters) read() (u usage, err error) {
	var values [3]int64
	for i, fd := range c.fds {
		var raw [8]byte
		if _, err := unix.Read(fd, raw[:]); err != nil {
			return u, os.NewSyscallError("read(perf event)", err)
		}
		values[i] = int64(binary.NativeEndian.Uint64(raw[:]))
	}
	return usage{time.Duration(values[0]), values[1], values[2]}, nil
}

func (c *counters) close() {
	for _, fd := range c.fds {
		unix.Close(fd)
	}
}
