// Package explain says which code caused the reads of a package: the pages by ELF section, by Go package, crate or
// namespace (the owner), and by symbol, largest first. Sizes are in KiB.
//
// If the order of page faults is known, a page counts for the code whose instruction touched it first, so a page of
// data counts for the function that used it. Else it counts for the symbol that covers most of it.
package explain

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/probe"
)

// Explanation explains one file.
type Explanation struct {
	File       string
	Package    bool // false for a file of the base
	SizeKiB    int
	ReadKiB    int      // with the default read-ahead
	TouchedKiB int      // with read-ahead 0
	Exact      bool     // by page faults; else by the symbols that cover the pages
	Sections   []*Item  // with owners as parts
	Owners     []*Item  // with symbols as parts
	Imports    []*Item  // Go only: owners by module, those of the standard library by the first element of the path
	Unused     []string // Go only: imports that are linked, but nothing of them was read
	Notes      []string

	packed bool // the file has no section headers
	tls    bool // Go's TLS is linked
}

// Item is a part of a file, or code, with what was read of it or because of it.
type Item struct {
	Name       string  `json:"name"`
	SizeKiB    int     `json:"size_kib,omitempty"`
	ReadKiB    int     `json:"read_kib"`
	TouchedKiB int     `json:"touched_kib"`
	Hint       string  `json:"hint,omitempty"`
	Parts      []*Item `json:"parts,omitempty"`

	init    int            // KiB touched by package initialization
	because map[string]int // KiB by the function that touched them
}

// pageKiB is the size of a page on both of Lambda's architectures.
const pageKiB = 4

const pageSize = pageKiB << 10

// File explains one file.
func File(f probe.File, faults []probe.Fault, content io.ReaderAt) *Explanation {
	image := readImage(content, f.Size)
	e := &Explanation{File: f.Path, Package: f.Package, SizeKiB: int((f.Size + 1023) >> 10),
		Notes: image.notes, packed: image.packed}
	var sections, owners, imports Item // only their parts are used
	for _, p := range image.pages(f, faults) {
		e.Exact = e.Exact || p.exact
		sections.add(p, p.section, p.owner, p.symbol)
		owners.add(p, p.owner, p.symbol)
		if image.goBinary {
			imports.add(p, image.importOf(p.owner), p.owner)
		}
		e.ReadKiB += p.read
		e.TouchedKiB += p.touched
	}
	e.Sections, e.Owners, e.Imports = sorted(sections.Parts), sorted(owners.Parts), sorted(imports.Parts)
	e.Unused = image.unused(e.Imports)
	e.tls = image.goBinary && slices.ContainsFunc(image.symbols, func(s symbol) bool {
		return strings.HasPrefix(s.name, "crypto/tls.(*Conn).")
	})
	for _, s := range e.Sections {
		s.SizeKiB = image.sectionKiB(s.Name)
		s.Hint = sectionHint(s, e)
	}
	for _, o := range e.Owners {
		o.Hint = ownerHint(o, e)
	}
	return e
}

// add counts a page for the part with the first name, for that part's part with the second name, and so on.
func (i *Item) add(p *page, names ...string) {
	for _, name := range names {
		k := slices.IndexFunc(i.Parts, func(part *Item) bool { return part.Name == name })
		if k < 0 {
			k = len(i.Parts)
			i.Parts = append(i.Parts, &Item{Name: name, because: map[string]int{}})
		}
		i = i.Parts[k]
		i.ReadKiB += p.read
		i.TouchedKiB += p.touched
		if p.by != "" {
			i.because[p.by] += p.touched
		}
		if isInit(p.by) {
			i.init += p.touched
		}
	}
}

// sorted sorts items and their parts: most KiB read first, then most touched, then by name.
func sorted(items []*Item) []*Item {
	slices.SortFunc(items, func(a, b *Item) int {
		return cmp.Or(b.ReadKiB-a.ReadKiB, b.TouchedKiB-a.TouchedKiB, cmp.Compare(a.Name, b.Name))
	})
	for _, item := range items {
		sorted(item.Parts)
	}
	return items
}

// Package explains every file of a measured package that was read, the one with most KiB read first. open opens a file
// by its path in the environment. A file that is not ELF is one item.
func Package(r *probe.Result, open func(path string) (*os.File, error)) (all []*Explanation, err error) {
	for _, file := range r.Files {
		if !slices.ContainsFunc(slices.Concat(file.Touched, file.ReadAhead), func(b byte) bool { return b&1 == 1 }) {
			continue
		}
		content, err := open(file.Path)
		if err != nil {
			return nil, fmt.Errorf("explaining %s: %w", file.Path, err)
		}
		e := File(file, r.Faults, content)
		content.Close()
		if r.UPX != nil && file.Package && e.packed {
			note := fmt.Sprintf("packed by UPX: all of the code is read and unpacked into memory (%.2f MB) before main: "+
				"explain the file unpacked with upx -d to see which code needs what",
				float64(r.UPX.UnpackedBytes)/(1<<20))
			e.Notes = slices.Insert(e.Notes, 0, note)
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b *Explanation) int { return b.ReadKiB - a.ReadKiB })
	return all, nil
}

// sectionHint says why a section is read, and which functions touched most of it.
func sectionHint(s *Item, e *Explanation) string {
	hint := sectionPurpose(s)
	if wanted := wantedBy(s); wanted != "" && (hint != "" || s.ReadKiB*10 >= e.ReadKiB) && s.Name != ".text" {
		if hint != "" {
			hint += "; "
		}
		hint += "wanted by " + wanted
	}
	return hint
}

// wantedBy names the functions that touched most, with KiB.
func wantedBy(i *Item) string {
	byKiB := func(a, b string) int { return cmp.Or(i.because[b]-i.because[a], cmp.Compare(a, b)) }
	functions := slices.SortedFunc(maps.Keys(i.because), byKiB)
	var out []string
	for _, f := range functions[:min(3, len(functions))] {
		if kib := i.because[f]; kib >= 2*pageKiB {
			out = append(out, fmt.Sprintf("%s %d", f, kib))
		}
	}
	return strings.Join(out, ", ")
}

// sectionPurpose says what a section is for, and how to avoid it.
func sectionPurpose(s *Item) string {
	switch strings.TrimPrefix(s.Name, ".data.rel.ro") {
	case ".gopclntab":
		return "Go's function table: read when stacks grow or are walked (deep calls, runtime.Callers, panics), each time " +
			"for the functions on the stack; its size grows with all code that is linked in"
	case ".rela.dyn", ".rel.dyn", ".relr.dyn":
		return "relocations of a position-independent executable: all of them are read, and their targets written; " +
			"link without -pie"
	case ".eh_frame", ".eh_frame_hdr", ".gcc_except_table":
		return "unwind tables: read when something throws or panics"
	case ".dynsym", ".dynstr", ".gnu.hash", ".gnu.version", ".gnu.version_r":
		return "dynamic linking: link statically"
	}
	if strings.HasPrefix(s.Name, ".debug") || s.Name == ".symtab" || s.Name == ".strtab" {
		return "never needed at a start: only read-ahead read it"
	}
	if s.ReadKiB > 0 && s.TouchedKiB*3 < s.ReadKiB && s.ReadKiB >= 128 {
		return fmt.Sprintf("%d KiB wanted; read-ahead brought the rest, because the wanted pages are scattered", s.TouchedKiB)
	}
	return ""
}

// ownerHint says why an owner's pages were wanted, if one function stands out.
func ownerHint(o *Item, e *Explanation) string {
	if o.TouchedKiB < 2*pageKiB || !e.Exact {
		return ""
	}
	if o.init*10 >= o.TouchedKiB*6 {
		return fmt.Sprintf("touched only for its initialization (%d of %d KiB by init and package-level variables)",
			o.init, o.TouchedKiB)
	}
	for function, kib := range o.because {
		if kib*10 >= o.TouchedKiB*6 && kib >= 2*pageKiB && function != o.Name {
			return fmt.Sprintf("touched only for %s (%d of %d KiB)", function, kib, o.TouchedKiB)
		}
	}
	if o.init >= 4*pageKiB && o.init*4 >= o.TouchedKiB {
		return fmt.Sprintf("%d of %d KiB for its initialization", o.init, o.TouchedKiB)
	}
	return ""
}
