package usage

import (
	"encoding/binary"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Counter counts for a thread and all that it starts from now on.
type Counter struct{ fds []int }

// Watch opens a counter on the thread that a tree will be forked from. Unprivileged processes may not everywhere (perf_event_paranoid).
func Watch(pid int) (*Counter, error) {
	c := &Counter{}
	for _, event := range []uint64{unix.PERF_COUNT_SW_TASK_CLOCK, unix.PERF_COUNT_SW_PAGE_FAULTS_MIN, unix.PERF_COUNT_SW_PAGE_FAULTS_MAJ} {
		attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: event, Bits: unix.PerfBitInherit, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{}))}
		fd, err := unix.PerfEventOpen(&attr, pid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err != nil {
			c.Close()
			return nil, os.NewSyscallError("perf_event_open", err)
		}
		c.fds = append(c.fds, fd)
	}
	return c, nil
}

// Read is what was used so far.
func (c *Counter) Read() (Usage, error) {
	var values [3]int64
	for i, fd := range c.fds {
		var raw [8]byte
		if _, err := unix.Read(fd, raw[:]); err != nil {
			return Usage{}, os.NewSyscallError("read(perf event)", err)
		}
		values[i] = int64(binary.NativeEndian.Uint64(raw[:]))
	}
	return Usage{time.Duration(values[0]), values[1], values[2]}, nil
}

// Close lets go of the counter.
func (c *Counter) Close() {
	for _, fd := range c.fds {
		unix.Close(fd)
	}
}
