package probe

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// mapping is a part of a process's memory. path is that of a file, or a name in brackets.
type mapping struct {
	start, length, offset uint64
	path                  string
}

// faults returns the faults on files so far. It resolves an address by the mappings that the process had at that time.
func (s *sampler) faults() (out []Fault, err error) {
	events, err := s.events()
	if err != nil {
		return nil, err
	}
	u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
	maps := map[uint32][]mapping{}
	find := func(pid uint32, address uint64) (string, uint64) {
		for _, m := range slices.Backward(maps[pid]) { // the latest counts
			if address >= m.start && address-m.start < m.length {
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
			if pid, parent := u32(b), u32(b[4:]); pid != parent {
				maps[pid] = slices.Clone(maps[parent])
			}
		case recordComm:
			if e.misc&commExec != 0 {
				delete(maps, u32(b))
			}
		case recordMmap2: // pid, tid, addr, len, pgoff, maj, min, ino, generation, prot, flags, name
			if len(b) < 64 {
				continue
			}
			name, _, _ := bytes.Cut(b[64:], []byte{0})
			maps[u32(b)] = append(maps[u32(b)], mapping{u64(b[8:]), u64(b[16:]), u64(b[24:]), string(name)})
		case recordSample:
			pid := u32(b[8:])
			path, offset := find(pid, u64(b[24:]))
			if path == "" {
				continue
			}
			f := Fault{Path: path, Offset: offset}
			if ip := u64(b); ip>>63 == 1 {
				f.IPPath = Kernel
			} else {
				f.IPPath, f.IPOffset = find(pid, ip)
			}
			out = append(out, f)
		}
	}
	return out, nil
}
