package staticbash

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
)

// image describes a linked program.
type image struct {
	base   uint64       // address of the first page that has code
	kept   uint64       // how many bytes at the beginning of the file are kept
	to     uint64       // address of the part to pack
	memory []byte       // the part to pack: code, constants, data
	code   uint64       // how many bytes at the beginning of memory are code
	sealed uint64       // how many bytes at the beginning of memory are read-only: whole pages
	end    uint64       // address after the last section
	stub   *elf.Section // the unpacker
}

func imageOf(f *elf.File) (*image, error) {
	cold, hot, stub := f.Section(".text"), f.Section(".text.hot"), f.Section(".unpack")
	if cold == nil || hot == nil || stub == nil {
		return nil, errors.New("a section is missing: the linker ignored order.ld")
	}
	if hot.Addr%page != 0 {
		return nil, fmt.Errorf(".text.hot starts at %#x, in the middle of a page", hot.Addr)
	}
	if size := uint64(binary.Size(parameters{})); stub.Offset+stub.Size > 4*page || stub.Size < size {
		return nil, fmt.Errorf(".unpack has %d bytes, at %#x: it must be in the first pages", stub.Size, stub.Offset)
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
			return nil, fmt.Errorf("%s overlaps the section before it", s.Name)
		}
		i.memory = append(append(i.memory, make([]byte, at-uint64(len(i.memory)))...), data...)
		if s.Flags&elf.SHF_WRITE == 0 {
			i.sealed = (at + s.Size + page - 1) &^ (page - 1)
		}
	}
	return i, nil
}

// header writes the new header into out, the file, and returns out. The header's segments are the part that stays, the
// memory to unpack to, and the packed part. That part begins at byte begin of the file and is mapped at the address at.
func header(out []byte, f *elf.File, i *image, begin, at uint64) ([]byte, error) {
	h := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(f.Machine), Version: uint32(elf.EV_CURRENT),
		Entry: i.stub.Addr, Phoff: 64, Ehsize: 64, Phentsize: 56,
	}
	copy(h.Ident[:], out[:elf.EI_NIDENT])
	if _, err := binary.Decode(out[48:52], binary.LittleEndian, &h.Flags); err != nil {
		return nil, err
	}
	var progs []elf.Prog64
	for _, p := range f.Progs {
		n := elf.Prog64{Type: uint32(p.Type), Flags: uint32(p.Flags), Off: p.Off, Vaddr: p.Vaddr, Paddr: p.Vaddr,
			Filesz: p.Filesz, Memsz: p.Memsz, Align: p.Align}
		switch {
		case p.Type == elf.PT_LOAD && p.Vaddr >= i.to:
			continue
		case p.Type == elf.PT_LOAD && p.Off+p.Filesz > i.kept:
			n.Filesz = i.kept - p.Off
			n.Memsz = n.Filesz
		case p.Type == elf.PT_PHDR:
			continue // it would have to describe the new header, and a static program does not need it
		}
		progs = append(progs, n)
	}
	size := uint64(len(out)) - begin
	progs = append(progs,
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W),
			Vaddr: i.to, Paddr: i.to, Memsz: i.end - i.to, Align: page},
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R),
			Off: begin, Vaddr: at, Paddr: at, Filesz: size, Memsz: size, Align: page})
	h.Phnum = uint16(len(progs))
	var text bytes.Buffer
	for _, part := range []any{h, progs} {
		if err := binary.Write(&text, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	if uint64(text.Len()) > i.stub.Offset {
		return nil, errors.New("there is no room for the new header")
	}
	copy(out, text.Bytes())
	return out, nil
}
