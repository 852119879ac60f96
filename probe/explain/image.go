package explain

import (
	"cmp"
	"debug/elf"
	"debug/gosym"
	"io"
	"slices"
	"sort"

	"github.com/twinstart/twinstart/probe"
)

// image says what the bytes of an ELF file are.
type image struct {
	sections   []section // in the order of the file
	segments   []elf.ProgHeader
	symbols    []symbol // in the order of addresses
	goBinary   bool
	namespaces bool     // some symbol has one
	modules    []string // of a Go binary
	packed     bool     // the file has no section headers
	notes      []string
}

// section is a part of the file.
type section struct {
	name       string
	from, to   uint64 // in the file
	address    uint64
	executable bool
	allocated  bool // part of a running program's memory
}

// readImage reads an ELF file. Any other file is one section.
func readImage(content io.ReaderAt, size int64) *image {
	i := &image{}
	f, err := probe.ReadELF(content)
	if err != nil {
		i.sections = []section{{name: "(file)", to: uint64(size)}}
		return i // scripts and data are not ELF files
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			i.segments = append(i.segments, p.ProgHeader)
		}
	}
	for _, s := range f.Sections {
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL && s.FileSize > 0 {
			code, allocated := s.Flags&elf.SHF_EXECINSTR != 0, s.Flags&elf.SHF_ALLOC != 0
			i.sections = append(i.sections, section{s.Name, s.Offset, s.Offset + s.FileSize, s.Addr, code, allocated})
		}
	}
	if len(i.sections) == 0 {
		for _, p := range i.segments {
			name := "(data)"
			if p.Flags&elf.PF_X != 0 {
				name = "(code)"
			}
			i.sections = append(i.sections, section{name, p.Off, p.Off + p.Filesz, p.Vaddr, p.Flags&elf.PF_X != 0, true})
		}
		i.packed = true
		i.notes = append(i.notes, "it has no valid section headers, like packed files: segments are shown instead")
	}
	slices.SortStableFunc(i.sections, func(a, b section) int { return cmp.Compare(a.from, b.from) })
	i.readSymbols(f)
	slices.SortStableFunc(i.symbols, func(a, b symbol) int { return cmp.Compare(a.from, b.from) })
	if i.goBinary {
		i.readModules(content)
	}
	return i
}

// address returns the address of a byte of the file, before relocation.
func (i *image) address(offset uint64) (uint64, bool) {
	for _, p := range i.segments {
		if offset >= p.Off && offset-p.Off < p.Filesz {
			return offset - p.Off + p.Vaddr, true
		}
	}
	return 0, false
}

// at returns the symbol at an offset in the file.
func (i *image) at(offset uint64) (string, bool) {
	address, ok := i.address(offset)
	n := sort.Search(len(i.symbols), func(n int) bool { return i.symbols[n].from > address })
	for n--; ok && n >= 0; n-- {
		if s := i.symbols[n]; address < s.to {
			return s.name, true
		} else if address-s.from > 1<<20 {
			break
		}
	}
	return "", false
}

func (i *image) section(offset uint64) section {
	for _, s := range i.sections {
		if offset >= s.from && offset < s.to {
			return s
		}
	}
	return section{name: betweenSections}
}

const betweenSections = "(headers, padding)"

// covering returns the section that covers most of a page. In a page that a program has touched, sections that are not
// loaded, such as symbol tables after its data, count only if there are no others.
func (i *image) covering(number int, touched bool) section {
	from, to := uint64(number)*pageSize, uint64(number+1)*pageSize
	best, most := section{name: betweenSections}, uint64(0)
	for _, s := range i.sections {
		if low, high := max(from, s.from), min(to, s.to); low < high && high-low > most && (s.allocated || !touched) {
			best, most = s, high-low
		}
	}
	if touched && most == 0 {
		return i.covering(number, false)
	}
	return best
}

// biggest returns the symbol that covers most of a page.
func (i *image) biggest(number int) (string, bool) {
	from, ok := i.address(uint64(number) * pageSize)
	if !ok {
		return "", false
	}
	to := from + pageSize
	var name string
	var most uint64
	n := max(sort.Search(len(i.symbols), func(n int) bool { return i.symbols[n].from > from })-1, 0)
	for ; n < len(i.symbols) && i.symbols[n].from < to; n++ {
		s := i.symbols[n]
		if low, high := max(from, s.from), min(to, s.to); low < high && high-low > most {
			name, most = s.name, high-low
		}
	}
	return name, most > 0
}

// sectionKiB returns the size of all sections with a name.
func (i *image) sectionKiB(name string) int {
	var bytes uint64
	for _, s := range i.sections {
		if s.name == name {
			bytes += s.to - s.from
		}
	}
	return int((bytes + 1023) >> 10)
}

// readSymbols reads the symbol table, or else Go's function table, which stripping leaves in the file.
func (i *image) readSymbols(f *elf.File) {
	i.goBinary = f.Section(".go.buildinfo") != nil || functionTable(f) != nil
	if i.symbols = tableSymbols(f); len(i.symbols) > 0 {
		i.namespaces = slices.ContainsFunc(i.symbols, func(s symbol) bool { return namespace(s.name) != "" })
		return
	}
	if i.symbols = goFunctions(f); len(i.symbols) == 0 {
		i.notes = append(i.notes, "it is stripped: nothing inside its sections has a name; build it with symbols to see "+
			"more (they are not read at a start)")
	}
}

// functionTable returns the section with Go's function table, or nil.
func functionTable(f *elf.File) *elf.Section {
	return cmp.Or(f.Section(".gopclntab"), f.Section(".data.rel.ro.gopclntab"))
}

// tableSymbols returns the symbols of the file's symbol table, or else of its dynamic one.
func tableSymbols(f *elf.File) (out []symbol) {
	all, err := f.Symbols()
	if err != nil {
		all, _ = f.DynamicSymbols()
	}
	for _, s := range all {
		named := slices.Contains([]elf.SymType{elf.STT_FUNC, elf.STT_OBJECT, elf.STT_NOTYPE}, elf.ST_TYPE(s.Info))
		if named && s.Size > 0 && s.Section != elf.SHN_UNDEF && s.Section < elf.SHN_LORESERVE {
			out = append(out, symbol{demangled(s.Name), s.Value, s.Value + s.Size})
		}
	}
	if len(out) < 16 { // a few exported names explain nothing
		return nil
	}
	return out
}

// goFunctions reads Go's own table of functions.
func goFunctions(f *elf.File) (out []symbol) {
	table, text := functionTable(f), f.Section(".text")
	if table == nil || text == nil {
		return nil
	}
	data, err := table.Data()
	if err != nil {
		return nil
	}
	defer func() { // gosym panics if the section is not a function table
		if recover() != nil {
			out = nil
		}
	}()
	functions, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		return nil
	}
	for _, fn := range functions.Funcs {
		out = append(out, symbol{fn.Name, fn.Entry, fn.End})
	}
	return out
}

// symbol is a named range of addresses.
type symbol struct {
	name     string
	from, to uint64
}
