package probe

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringPages is the size of a ring buffer, a power of two. 4 MiB hold 100,000 faults, which is 400 MB of pages.
const ringPages = 1024

// sampler records the major faults and the mappings of a thread and of all threads and processes that it starts, in a
// ring buffer for each CPU that they may run on. With read-ahead 0 each first touch of a page is a major fault, so the
// faults say what was touched, in which order, and by which instruction.
type sampler struct {
	fds   []int
	rings [][]byte
}

// sampleTree starts to record.
func sampleTree(pid int) (*sampler, error) {
	s := &sampler{}
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_PAGE_FAULTS_MAJ, Sample: 1,
		Size:        uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample_type: unix.PERF_SAMPLE_IP | unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME | unix.PERF_SAMPLE_ADDR,
		Bits: unix.PerfBitInherit | unix.PerfBitMmap | unix.PerfBitMmapData | unix.PerfBitMmap2 | unix.PerfBitTask |
			unix.PerfBitComm | unix.PerfBitCommExec | unix.PerfBitSampleIDAll,
	}
	for _, cpu := range allowed(pid) {
		fd, err := unix.PerfEventOpen(&attr, pid, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err != nil {
			s.close()
			return nil, os.NewSyscallError("perf_event_open", err)
		}
		s.fds = append(s.fds, fd)
		ring, err := unix.Mmap(fd, 0, (1+ringPages)*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			s.close()
			return nil, os.NewSyscallError("mmap(perf event)", err)
		}
		s.rings = append(s.rings, ring)
	}
	return s, nil
}

func (s *sampler) close() {
	for _, ring := range s.rings {
		unix.Munmap(ring)
	}
	for _, fd := range s.fds {
		unix.Close(fd)
	}
}

// Kinds of record in a ring. See perf_event_open(2).
const (
	recordComm   = 3
	recordFork   = 7
	recordSample = 9
	recordMmap2  = 10

	commExec = 1 << 13 // in misc of recordComm: the process executed another program
)

// event is one record, with its time.
type event struct {
	at   uint64
	kind uint32
	misc uint16
	body []byte
}

// events returns the records of all CPUs in the order of time.
func (s *sampler) events() (all []event, err error) {
	for _, ring := range s.rings {
		page := os.Getpagesize()
		meta := (*unix.PerfEventMmapPage)(unsafe.Pointer(&ring[0]))
		data := ring[page:]
		head := atomic.LoadUint64(&meta.Data_head)
		if head+1<<10 > uint64(len(data)) { // full: the kernel has stopped writing
			return nil, errors.New("noting the order of page faults: there are more than the ring buffers hold")
		}
		for rest := bytes.Clone(data[:head]); len(rest) >= 8; {
			size := int(binary.NativeEndian.Uint16(rest[6:]))
			if size < 8 || size > len(rest) {
				break
			}
			e := event{kind: binary.NativeEndian.Uint32(rest), misc: binary.NativeEndian.Uint16(rest[4:]), body: rest[8:size]}
			rest = rest[size:]
			switch {
			case e.kind == recordSample && len(e.body) >= 32: // ip, pid, tid, time, addr
				e.at = binary.NativeEndian.Uint64(e.body[16:])
			case len(e.body) >= 16: // a trailer: pid, tid, time
				e.at = binary.NativeEndian.Uint64(e.body[len(e.body)-8:])
			default:
				continue
			}
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return all, nil
}

// orderUsable returns why perf events cannot be used here, or nil if they can.
func orderUsable() error {
	s, err := sampleTree(os.Getpid())
	if err == nil {
		s.close()
	}
	return err
}

// cpus is the number of CPUs that a function of a usual size has on Lambda. Runtimes depend on it, and so does what
// they read.
const cpus = 2

// allowed returns the CPUs that a process may run on.
func allowed(pid int) (cpus []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(pid, &set) != nil {
		return nil
	}
	for cpu := range 1024 { // the capacity of a unix.CPUSet
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// asOnLambda restricts a process, and all that it will start, to two of this machine's CPUs.
func asOnLambda(pid int) {
	var two unix.CPUSet
	may := allowed(pid)
	for _, cpu := range may[:min(cpus, len(may))] {
		two.Set(cpu)
	}
	unix.SchedSetaffinity(pid, &two) //nolint:errcheck // if this is refused, the function has more CPUs
}
