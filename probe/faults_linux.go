package probe

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"iter"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringPages is a power of two: 4 MiB a CPU holds 100,000 faults, 400 MB of pages.
const ringPages = 1024

// sampler notes major faults and mappings of a thread and of all that it starts: a ring buffer for each CPU that they
// may run on. With read-ahead 0 every page of a file that is touched for the first time is a major fault: what was
// touched, by which instruction, in which order.
type sampler struct {
	fds   []int
	rings [][]byte
}

// errLost is more faults than the rings hold.
var errLost = errors.New("noting the order of page faults: more of them than there is room for")

func sampleTree(pid int) (*sampler, error) {
	s := &sampler{}
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_PAGE_FAULTS_MAJ, Sample: 1, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample_type: unix.PERF_SAMPLE_IP | unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME | unix.PERF_SAMPLE_ADDR,
		Bits: unix.PerfBitInherit | unix.PerfBitMmap | unix.PerfBitMmapData | unix.PerfBitMmap2 | unix.PerfBitTask | unix.PerfBitComm | unix.PerfBitCommExec |
			unix.PerfBitSampleIDAll,
	}
	for cpu := range allowed(pid) {
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

	commExec = 1 << 13 // misc of recordComm: the process has become another program
)

// event is one record, with its time.
type event struct {
	at   uint64
	kind uint32
	misc uint16
	body []byte
}

// events are the records of all CPUs in the order of time.
func (s *sampler) events() (all []event, err error) {
	for _, ring := range s.rings {
		page := os.Getpagesize()
		meta := (*unix.PerfEventMmapPage)(unsafe.Pointer(&ring[0]))
		data := ring[page:]
		head := atomic.LoadUint64(&meta.Data_head)
		if head+1<<10 > uint64(len(data)) { // full: the kernel has stopped writing
			return nil, errLost
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

// mapping is a file in a process's memory.
type mapping struct {
	start, length, offset uint64
	path                  string
}

// faults resolves addresses to files by the mappings of each process at the time.
func (s *sampler) faults() (out []Fault, err error) {
	events, err := s.events()
	if err != nil {
		return nil, err
	}
	maps := map[uint32][]mapping{}
	find := func(pid uint32, address uint64) (string, uint64) {
		of := maps[pid]
		for i := len(of) - 1; i >= 0; i-- { // the latest wins
			if m := of[i]; address >= m.start && address-m.start < m.length {
				if !strings.HasPrefix(m.path, "/") || strings.HasPrefix(m.path, "/dev/") || m.path == "//anon" {
					return "", 0
				}
				return m.path, address - m.start + m.offset
			}
		}
		return "", 0
	}
	for _, e := range events {
		b := e.body
		switch e.kind {
		case recordFork: // pid, ppid, tid, ptid, time
			pid, parent := binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])
			if pid != parent {
				maps[pid] = slices.Clone(maps[parent])
			}
		case recordComm:
			if e.misc&commExec != 0 {
				delete(maps, binary.NativeEndian.Uint32(b))
			}
		case recordMmap2: // pid, tid, addr, len, pgoff, maj, min, ino, generation, prot, flags, name
			if len(b) < 64 {
				continue
			}
			name, _, _ := bytes.Cut(b[64:], []byte{0})
			pid := binary.NativeEndian.Uint32(b)
			maps[pid] = append(maps[pid], mapping{binary.NativeEndian.Uint64(b[8:]), binary.NativeEndian.Uint64(b[16:]), binary.NativeEndian.Uint64(b[24:]), string(name)})
		case recordSample:
			pid := binary.NativeEndian.Uint32(b[8:])
			path, offset := find(pid, binary.NativeEndian.Uint64(b[24:]))
			if path == "" {
				continue
			}
			f := Fault{Path: path, Offset: offset}
			if ip := binary.NativeEndian.Uint64(b); ip>>63 == 1 {
				f.IPPath = Kernel
			} else {
				f.IPPath, f.IPOffset = find(pid, ip)
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// orderUsable says whether perf events are allowed here; the error says why not.
func orderUsable() error {
	s, err := sampleTree(os.Getpid())
	if err != nil {
		return err
	}
	s.close()
	return nil
}

// cpus is how many CPUs a function of a usual size sees on Lambda. Runtimes size themselves by it, and what they read
// with them.
const cpus = 2

// allowed are the CPUs that a process may run on.
func allowed(pid int) iter.Seq[int] {
	return func(yield func(int) bool) {
		var set unix.CPUSet
		if unix.SchedGetaffinity(pid, &set) != nil {
			return
		}
		for cpu := range maxCPUs {
			if set.IsSet(cpu) && !yield(cpu) {
				return
			}
		}
	}
}

// maxCPUs is what a unix.CPUSet holds.
const maxCPUs = 1024

// asOnLambda lets a process, and what it will start, run on two of this machine's CPUs only.
func asOnLambda(pid int) {
	var two unix.CPUSet
	for cpu := range allowed(pid) {
		if two.Count() < cpus {
			two.Set(cpu)
		}
	}
	unix.SchedSetaffinity(pid, &two) //nolint:errcheck // not allowed everywhere; counts are then of more CPUs
}
