package staticbash

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// packFile packs a program in place.
func packFile(path string) error {
	linked, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading what was linked: %w", err)
	}
	packed, err := pack(linked)
	if err != nil {
		return err
	}
	return os.WriteFile(path, packed, 0o755)
}

// pack changes the layout of a linked Bash so that a cold start reads less of it. The link order has put together
// what a cold start touches (functions, constants and data). pack compresses that part; src/unpack.c unpacks it
// before anything else runs. The other part is not changed and is read when it is needed.
//
//	header | the code that unpacks | functions that a start does not use | compressed: those that it does, constants, data
//
// The kernel reads the first pages to execute the file, and with them the code that unpacks. That code asks for the
// whole compressed part at once. So there are two reads, for any read-ahead of the kernel and any order of page
// faults. Sections and symbols are removed.
func pack(linked []byte) ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(linked))
	if err != nil {
		return nil, fmt.Errorf("reading what was linked: %w", err)
	}
	i, err := imageOf(f)
	if err != nil {
		return nil, fmt.Errorf("packing what was linked: %w", err)
	}
	p := parameters{Entry: f.Entry, To: i.to, Size: uint64(len(i.memory)), Code: i.code, Sealed: i.sealed, Base: i.base, Range: addresses}
	switch f.Machine {
	case elf.EM_X86_64:
		absoluteX86(i.memory[:i.code], i.to-i.base)
	case elf.EM_AARCH64:
		absoluteARM(i.memory[:i.code], i.to-i.base)
	default:
		return nil, fmt.Errorf("packing what was linked: unsupported machine %v: the unpacker exists for x86_64 and aarch64 only", f.Machine)
	}
	s := compress(i.memory)
	packed := bytes.Join([][]byte{s.tokens, s.literals, s.low, s.high, s.more, make([]byte, 16)}, nil) // literals are read by 16
	p.Literals = uint64(len(s.tokens))
	p.Low = p.Literals + uint64(len(s.literals))
	p.High = p.Low + uint64(len(s.low))
	p.More = p.High + uint64(len(s.high))

	out := bytes.Clone(linked[:i.kept])
	out = append(out, make([]byte, -len(out)&15)...)
	begin := uint64(len(out))
	p.Packed, p.Length = (i.end+page-1)&^(page-1)+begin%page, uint64(len(packed))
	if _, err := binary.Encode(out[i.stub.Offset+i.stub.Size-uint64(binary.Size(p)):], binary.LittleEndian, p); err != nil {
		return nil, fmt.Errorf("packing what was linked: %w", err)
	}
	return header(append(out, packed...), f, i, begin, p.Packed)
}

// parameters are the parameters of src/unpack.c.
type parameters struct {
	Entry, To, Size, Code, Sealed, Base, Range uint64
	Packed, Length, Literals, Low, High, More  uint64
}

// addresses is the size of the range, from the program's first address, to which calls are assumed to go.
const addresses = 1 << 20

// page is Lambda's page size on both architectures. A kernel for arm64 with larger pages cannot run a packed
// program.
const page = 4 << 10

// image describes a linked program.
type image struct {
	base   uint64 // address of its first page
	kept   uint64 // bytes of the file that stay as they are
	to     uint64 // address of what is packed
	memory []byte // what is packed: code, constants, data
	code   uint64 // bytes of it
	sealed uint64 // bytes of it that nobody writes to: whole pages
	end    uint64 // address behind all memory
	stub   *elf.Section
}

func imageOf(f *elf.File) (*image, error) {
	cold, hot, stub := f.Section(".text"), f.Section(".text.hot"), f.Section(".unpack")
	if cold == nil || hot == nil || stub == nil {
		return nil, errors.New("it lacks a section: the linker has passed over order.ld")
	}
	if hot.Addr%page != 0 {
		return nil, fmt.Errorf(".text.hot starts at %#x, in the middle of a page", hot.Addr)
	}
	if size := uint64(binary.Size(parameters{})); stub.Offset+stub.Size > 4*page || stub.Size < size {
		return nil, fmt.Errorf(".unpack has %d bytes, at %#x: it belongs into the first pages", stub.Size, stub.Offset)
	}
	i := &image{base: cold.Addr &^ (page - 1), kept: cold.Offset + cold.Size, to: hot.Addr, code: hot.Size, stub: stub}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Addr < i.to || s.Flags&elf.SHF_TLS != 0 && s.Type == elf.SHT_NOBITS {
			continue
		}
		if i.end = max(i.end, s.Addr+s.Size); s.Type == elf.SHT_NOBITS {
			continue
		}
		data, err := s.Data()
		if err != nil {
			return nil, err
		}
		at := s.Addr - i.to
		if at < uint64(len(i.memory)) || s.Flags&elf.SHF_WRITE != 0 && at < i.sealed {
			return nil, fmt.Errorf("%s overlaps with what is in front of it", s.Name)
		}
		i.memory = append(append(i.memory, make([]byte, at-uint64(len(i.memory)))...), data...)
		if s.Flags&elf.SHF_WRITE == 0 {
			i.sealed = (at + s.Size + page - 1) &^ (page - 1)
		}
	}
	return i, nil
}

// header writes the file's new header: the part that stays, the memory to unpack to, and the packed part.
func header(out []byte, f *elf.File, i *image, begin, at uint64) ([]byte, error) {
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(f.Machine), Version: uint32(elf.EV_CURRENT), Phoff: 64, Ehsize: 64, Phentsize: 56}
	copy(h.Ident[:], out[:elf.EI_NIDENT])
	if _, err := binary.Decode(out[48:52], binary.LittleEndian, &h.Flags); err != nil {
		return nil, err
	}
	h.Entry = i.stub.Addr
	var progs []elf.Prog64
	for _, p := range f.Progs {
		n := elf.Prog64{Type: uint32(p.Type), Flags: uint32(p.Flags), Off: p.Off, Vaddr: p.Vaddr, Paddr: p.Vaddr, Filesz: p.Filesz, Memsz: p.Memsz, Align: p.Align}
		switch {
		case p.Type == elf.PT_LOAD && p.Vaddr >= i.to:
			continue
		case p.Type == elf.PT_LOAD && p.Off+p.Filesz > i.kept:
			n.Filesz = i.kept - p.Off
			n.Memsz = n.Filesz
		case p.Type == elf.PT_PHDR:
			continue // it would have to be counted, and nothing that is static wants it
		}
		progs = append(progs, n)
	}
	progs = append(progs,
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Vaddr: i.to, Paddr: i.to, Memsz: i.end - i.to, Align: page},
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R), Off: begin, Vaddr: at, Paddr: at, Filesz: uint64(len(out)) - begin, Memsz: uint64(len(out)) - begin, Align: page})
	h.Phnum = uint16(len(progs))
	var text bytes.Buffer
	for _, part := range []any{h, progs} {
		if err := binary.Write(&text, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	if uint64(text.Len()) > i.stub.Offset {
		return nil, errors.New("there is no room for its header")
	}
	copy(out, text.Bytes())
	return out, nil
}
