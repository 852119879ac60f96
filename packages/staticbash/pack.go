package staticbash

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
)

// packFile packs a program in place.
func packFile(path string) error {
	program, err := os.ReadFile(path)
	if err == nil {
		program, err = pack(program)
	}
	if err == nil {
		err = os.WriteFile(path, program, 0o755)
	}
	if err != nil {
		return fmt.Errorf("packing the linked Bash: %w", err)
	}
	return nil
}

// pack changes the layout of a linked Bash so that a cold start reads less of it. The link order has put together what
// a cold start uses: functions, constants and data. pack compresses that part, and src/unpack.c unpacks it before
// anything else runs. The rest is not changed and is read when it is needed. The file then has four parts:
//
//	header | unpacker | functions that no cold start uses | compressed: functions that one uses, constants, data
//
// To execute the file, the kernel reads its first pages, and with them the unpacker. The unpacker asks for the whole
// compressed part at once. So there are two reads. The kernel's read-ahead and the order of page faults do not change
// that. Sections and symbols are removed.
func pack(linked []byte) ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(linked))
	if err != nil {
		return nil, err
	}
	i, err := imageOf(f)
	if err != nil {
		return nil, err
	}
	p := parameters{
		Entry: f.Entry, To: i.to, Size: uint64(len(i.memory)), Code: i.code,
		Sealed: i.sealed, Base: i.base, Range: addresses,
	}
	switch f.Machine {
	case elf.EM_X86_64:
		absoluteX86(i.memory[:i.code], i.to-i.base)
	case elf.EM_AARCH64:
		absoluteARM(i.memory[:i.code], i.to-i.base)
	default:
		return nil, fmt.Errorf("unsupported machine %v: the unpacker exists for x86_64 and aarch64 only", f.Machine)
	}
	s := compress(i.memory)
	padding := make([]byte, 16) // the unpacker reads blocks of 16 bytes, and so beyond the last literal
	packed := slices.Concat(s.tokens, s.literals, s.low, s.high, s.more, padding)
	p.Literals = uint64(len(s.tokens))
	p.Low = p.Literals + uint64(len(s.literals))
	p.High = p.Low + uint64(len(s.low))
	p.More = p.High + uint64(len(s.high))

	out := bytes.Clone(linked[:i.kept])
	out = append(out, make([]byte, -len(out)&15)...)
	begin := uint64(len(out))
	p.Packed, p.Length = (i.end+page-1)&^(page-1)+begin%page, uint64(len(packed))
	at := i.stub.Offset + i.stub.Size - uint64(binary.Size(p))
	if _, err := binary.Encode(out[at:], binary.LittleEndian, p); err != nil {
		return nil, err
	}
	return header(append(out, packed...), f, i, begin, p.Packed)
}

// parameters are the parameters of src/unpack.c.
type parameters struct {
	Entry, To, Size, Code, Sealed, Base, Range uint64
	Packed, Length, Literals, Low, High, More  uint64
}

// addresses is the size in bytes of the range of addresses that absoluteX86 writes into calls. The range begins at
// image.base.
const addresses = 1 << 20

// page is Lambda's page size in bytes on both architectures. A packed program does not run on a kernel for arm64 that
// has larger pages.
const page = 4 << 10
