// Package explain says on whose account the pages of a package were read: by ELF section, by Go package, crate or
// namespace, by symbol, largest first.
//
// Where the order of page faults is known, a page goes to the code whose instruction touched it first; a page of data
// thus goes to the function that wanted it. Else it goes to whatever covers most of it.
package explain

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/probe"
)

// Explanation is of one file.
type Explanation struct {
	File       string   `json:"file"`
	Package    bool     `json:"package"` // else the base's
	SizeKiB    int      `json:"size_kib"`
	ReadKiB    int      `json:"read_kib"`    // with the default read-ahead: what a cold start pays
	TouchedKiB int      `json:"touched_kib"` // with read-ahead 0: what was wanted
	Exact      bool     `json:"exact"`       // by page faults; else by what lies there
	Symbols    string   `json:"symbols"`     // where names come from: "pclntab", "symtab", "none"
	Sections   []*Item  `json:"sections"`
	Owners     []*Item  `json:"owners"`           // on whose account, by Go package, crate or namespace
	Imports    []*Item  `json:"imports"`          // of Go: owners by module, and by the first element of the standard library's paths
	Unused     []string `json:"unused,omitempty"` // of Go: imports that are linked, and of which nothing was read
	Notes      []string `json:"notes"`

	packed bool // it has no section headers
	tls    bool // Go's is linked
}

// Item is a part of a file and what was read of it or on its account.
type Item struct {
	Name       string  `json:"name"`
	SizeKiB    int     `json:"size_kib,omitempty"`
	ReadKiB    int     `json:"read_kib"`
	TouchedKiB int     `json:"touched_kib"`
	Hint       string  `json:"hint,omitempty"`
	Parts      []*Item `json:"parts,omitempty"` // of a section: owners; of an owner: symbols

	init    int            // KiB touched by package initialisation
	because map[string]int // KiB by the function that touched them
}

// pageKiB is the size of a page on both of Lambda's architectures.
const pageKiB = 4

const pageSize = pageKiB << 10

// File explains one file. content is the file itself.
func File(f probe.File, faults []probe.Fault, content io.ReaderAt) *Explanation {
	image := readImage(content, f.Size)
	e := &Explanation{File: f.Path, Package: f.Package, SizeKiB: int((f.Size + 1023) >> 10), Symbols: image.symbolsFrom, Notes: image.notes, packed: image.packed}
	var sections, owners, imports Item // whose parts are the file's
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
	e.tls = image.goBinary && slices.ContainsFunc(image.symbols, func(s symbol) bool { return strings.HasPrefix(s.name, "crypto/tls.(*Conn).") })
	for _, s := range e.Sections {
		s.SizeKiB = image.sectionKiB(s.Name)
		s.Hint = sectionHint(s, e)
	}
	for _, o := range e.Owners {
		o.Hint = ownerHint(o, e)
	}
	return e
}

// add counts a page for the part with the first name, for that part's part with the second, and so on.
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

// sorted is largest first, by what was read, then by what was touched, then by name.
func sorted(items []*Item) []*Item {
	slices.SortFunc(items, func(a, b *Item) int {
		return cmp.Or(b.ReadKiB-a.ReadKiB, b.TouchedKiB-a.TouchedKiB, cmp.Compare(a.Name, b.Name))
	})
	for _, item := range items {
		sorted(item.Parts)
	}
	return items
}

// Package explains every ELF file of a measured package that was read, largest first. open opens a file by its path in
// the environment. What is no ELF file is one item as a whole.
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
			e.Notes = append([]string{fmt.Sprintf("packed by UPX: all of the code is read and unpacked into memory before main (%.2f MB, on whose account is not seen here): explain it unpacked (upx -d) to see what it needs",
				float64(r.UPX.UnpackedBytes)/(1<<20))}, e.Notes...)
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b *Explanation) int { return b.ReadKiB - a.ReadKiB })
	return all, nil
}
