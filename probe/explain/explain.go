// Package explain says on whose account the pages of a package were read: by ELF section, by Go package, crate or namespace, by symbol,
// largest first.
//
// Where the order of page faults is known, a page goes to the code whose instruction touched it first; a page of data thus goes to the
// function that wanted it. Else it goes to whatever covers most of it.
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

	order   int            // of its first page among the faults
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
	pages := image.pages(f, faults)
	sections, owners, imports := map[string]*Item{}, map[string]*Item{}, map[string]*Item{}
	for i := range pages {
		p := &pages[i]
		e.Exact = e.Exact || p.exact
		for _, place := range []struct {
			in               map[string]*Item
			name, part, leaf string
		}{{sections, p.section, p.owner, p.symbol}, {owners, p.owner, p.symbol, ""}} {
			item := add(place.in, place.name, p)
			part := item.part(place.part, p)
			if place.leaf != "" {
				part.part(place.leaf, p)
			}
		}
		if image.goBinary {
			add(imports, image.importOf(p.owner), p).part(p.owner, p)
		}
		e.ReadKiB += p.read
		e.TouchedKiB += p.touched
	}
	e.Sections, e.Owners, e.Imports = sorted(sections), sorted(owners), sorted(imports)
	e.Unused = image.unused(imports)
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

func add(in map[string]*Item, name string, p *page) *Item {
	item := in[name]
	if item == nil {
		item = &Item{Name: name, order: p.order, because: map[string]int{}}
		in[name] = item
	}
	item.count(p)
	return item
}

func (i *Item) count(p *page) {
	i.ReadKiB += p.read
	i.TouchedKiB += p.touched
	i.order = min(i.order, p.order)
	if p.by != "" {
		i.because[p.by] += p.touched
	}
	if p.init {
		i.init += p.touched
	}
}

func (i *Item) part(name string, p *page) *Item {
	for _, part := range i.Parts {
		if part.Name == name {
			part.count(p)
			return part
		}
	}
	part := &Item{Name: name, order: p.order, because: map[string]int{}}
	part.count(p)
	i.Parts = append(i.Parts, part)
	return part
}

// sorted is largest first, by what was read, then by what was touched, then by name.
func sorted(items map[string]*Item) (out []*Item) {
	for _, item := range items {
		out = append(out, item)
	}
	sortItems(out)
	return out
}

func sortItems(items []*Item) {
	slices.SortFunc(items, func(a, b *Item) int {
		return cmp.Or(b.ReadKiB-a.ReadKiB, b.TouchedKiB-a.TouchedKiB, cmp.Compare(a.Name, b.Name))
	})
	for _, item := range items {
		sortItems(item.Parts)
	}
}

// Package explains every ELF file of a measured package that was read, largest first. open opens a file by its path in the
// environment. What is no ELF file is one item as a whole.
func Package(r *probe.Result, open func(path string) (*os.File, error)) (all []*Explanation, err error) {
	for _, file := range r.Files {
		if !slices.ContainsFunc(append(slices.Clone(file.Touched), file.ReadAhead...), func(b byte) bool { return b&1 == 1 }) {
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
