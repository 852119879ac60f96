package probe

import (
	"debug/elf"
	"io"
)

// ReadELF reads an ELF file as a kernel does: by its segments. Sections that make no sense are left out, for a start needs none; some
// packers and obfuscators leave them so.
func ReadELF(content io.ReaderAt) (*elf.File, error) {
	f, err := elf.NewFile(content)
	if err == nil {
		return f, nil
	}
	if without, again := elf.NewFile(noSections{content}); again == nil {
		return without, nil
	}
	return nil, err
}

// noSections is a file whose ELF header names no sections.
type noSections struct{ io.ReaderAt }

// Fields of the header by their offsets: e_shoff, and e_shentsize, e_shnum, e_shstrndx behind each other.
var sectionFields = map[elf.Class][2][2]int64{elf.ELFCLASS32: {{32, 36}, {46, 52}}, elf.ELFCLASS64: {{40, 48}, {58, 64}}}

func (n noSections) ReadAt(p []byte, offset int64) (int, error) {
	read, err := n.ReaderAt.ReadAt(p, offset)
	var class [1]byte
	if _, err := n.ReaderAt.ReadAt(class[:], elf.EI_CLASS); err != nil {
		return read, err
	}
	for _, field := range sectionFields[elf.Class(class[0])] {
		for at := max(field[0], offset); at < min(field[1], offset+int64(read)); at++ {
			p[at-offset] = 0
		}
	}
	return read, err
}
