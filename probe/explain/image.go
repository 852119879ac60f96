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

// image is what an ELF file says of its own bytes.
type image struct {
	sections    []section // in the order of the file
	segments    []elf.ProgHeader
	symbols     []symbol // in the order of addresses
	symbolsFrom string
	goBinary    bool
	namespaces  bool     // some symbol has one
	modules     []string // of a Go binary
	packed      bool     // no section headers
	notes       []string
}

// section is a part of the file.
type section struct {
	name       string
	from, to   uint64 // in the file
	address    uint64
	executable bool
	allocated  bool // in memory of a running program
}

// symbol is a named range of addresses.
type symbol struct {
	name     string
	from, to uint64
}

// readImage reads an ELF file; of any other there is one section, the file.
func readImage(content io.ReaderAt, size int64) *image {
	i := &image{symbolsFrom: "none"}
	f, err := probe.ReadELF(content)
	if err != nil {
		i.sections = []section{{name: "(file)", to: uint64(size)}}
		return i // scripts and data are no ELF files
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			i.segments = append(i.segments, p.ProgHeader)
		}
	}
	for _, s := range f.Sections {
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL && s.FileSize > 0 {
			i.sections = append(i.sections, section{s.Name, s.Offset, s.Offset + s.FileSize, s.Addr, s.Flags&elf.SHF_EXECINSTR != 0, s.Flags&elf.SHF_ALLOC != 0})
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
		i.notes = append(i.notes, "it has no section headers, as packers leave it: segments stand in")
	}
	slices.SortStableFunc(i.sections, func(a, b section) int { return cmp.Compare(a.from, b.from) })
	i.readSymbols(f)
	slices.SortStableFunc(i.symbols, func(a, b symbol) int { return cmp.Compare(a.from, b.from) })
	if i.goBinary {
		i.readModules(content)
	}
	return i
}

// readSymbols takes what there is: the symbol table, and Go's function table, which survives stripping.
func (i *image) readSymbols(f *elf.File) {
	i.goBinary = f.Section(".go.buildinfo") != nil || f.Section(".gopclntab") != nil || f.Section(".data.rel.ro.gopclntab") != nil
	i.symbols = tableSymbols(f)
	if len(i.symbols) > 0 {
		i.symbolsFrom = "symtab"
		i.namespaces = slices.ContainsFunc(i.symbols, func(s symbol) bool { return namespace(s.name) != "" })
		return
	}
	if i.symbols = goFunctions(f); len(i.symbols) > 0 {
		i.symbolsFrom = "pclntab"
		return
	}
	i.notes = append(i.notes, "it is stripped: nothing can be named below its sections; build it with symbols to see more (they are not read at a start)")
}

func tableSymbols(f *elf.File) (out []symbol) {
	all, err := f.Symbols()
	if err != nil {
		all, _ = f.DynamicSymbols()
	}
	for _, s := range all {
		kind := elf.ST_TYPE(s.Info)
		if s.Size > 0 && s.Section != elf.SHN_UNDEF && s.Section < elf.SHN_LORESERVE && (kind == elf.STT_FUNC || kind == elf.STT_OBJECT || kind == elf.STT_NOTYPE) {
			out = append(out, symbol{demangled(s.Name), s.Value, s.Value + s.Size})
		}
	}
	if len(out) < 16 { // a handful of exported names explain nothing
		return nil
	}
	return out
}

// goFunctions reads Go's own table of functions.
func goFunctions(f *elf.File) (out []symbol) {
	table, text := f.Section(".gopclntab"), f.Section(".text")
	if table == nil {
		table = f.Section(".data.rel.ro.gopclntab")
	}
	if table == nil || text == nil {
		return nil
	}
	data, err := table.Data()
	if err != nil {
		return nil
	}
	defer func() { // a table that is not what its section's name says
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

// address is where a byte of the file is in memory, before relocation.
func (i *image) address(offset uint64) (uint64, bool) {
	for _, p := range i.segments {
		if offset >= p.Off && offset-p.Off < p.Filesz {
			return offset - p.Off + p.Vaddr, true
		}
	}
	return 0, false
}

// at is the symbol at an offset in the file.
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

// section is the one at an offset; what lies between sections belongs to the headers.
func (i *image) section(offset uint64) section {
	for _, s := range i.sections {
		if offset >= s.from && offset < s.to {
			return s
		}
	}
	return section{name: betweenSections}
}

const betweenSections = "(headers, padding)"

// covering is the section that covers most of a page. For one that a program touched, symbol tables and the like at
// the end of its data do not count if anything else is there.
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

// biggest is the symbol that covers most of a page.
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

func (i *image) sectionKiB(name string) int {
	var bytes uint64
	for _, s := range i.sections {
		if s.name == name {
			bytes += s.to - s.from
		}
	}
	return int((bytes + 1023) >> 10)
}
