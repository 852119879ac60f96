package explain

import (
	"strings"

	"github.com/twinstart/twinstart/probe"
)

// page is a page that was read, with its owner.
type page struct {
	section, owner, symbol string
	by                     string // the function whose instruction touched it first; "" if it is not known
	read, touched          int    // KiB
	exact                  bool   // a page fault says who touched it
}

// Owners of pages that no code of the program has touched.
const (
	byKernel = "(kernel: loads the program, reads files)"
	unknown  = "(not named)"
)

// pages returns every page of a file that was read or touched. A page that only read-ahead has read has the owner of
// the nearest touched page.
func (i *image) pages(f probe.File, faults []probe.Fault) (out []*page) {
	first := map[int]int{} // page -> fault
	for n, fault := range faults {
		if fault.Path == f.Path {
			number := int(fault.Offset / pageSize)
			if _, known := first[number]; !known {
				first[number] = n
			}
		}
	}
	wanted := make([]*page, max(len(f.Touched), len(f.ReadAhead)))
	for n := range wanted {
		_, faulted := first[n]
		if touched := in(f.Touched, n) || f.Touched == nil && faulted; touched {
			wanted[n] = i.resolve(f, n, faults, first)
			wanted[n].touched = pageKiB
		} else if f.Touched == nil && len(first) == 0 && in(f.ReadAhead, n) { // touches are not known
			wanted[n] = i.resolve(f, n, faults, first)
		}
	}
	for n, p := range wanted {
		if in(f.ReadAhead, n) {
			if p == nil {
				p = i.alongWith(n, wanted)
			}
			p.read = pageKiB
		}
		if p != nil {
			out = append(out, p)
		}
	}
	return out
}

// alongWith returns a page that only read-ahead has read, with the owner of the nearest touched page.
func (i *image) alongWith(n int, wanted []*page) *page {
	p := page{owner: unknown, symbol: unknown}
	for distance := 1; distance < len(wanted) && p.owner == unknown; distance++ {
		for _, m := range []int{n + distance, n - distance} {
			if m >= 0 && m < len(wanted) && wanted[m] != nil {
				p = *wanted[m]
			}
		}
	}
	p.touched, p.section = 0, i.covering(n, false).name
	return &p
}

// resolve returns a touched page with its owner.
func (i *image) resolve(f probe.File, n int, faults []probe.Fault, first map[int]int) *page {
	p := &page{section: i.covering(n, true).name}
	number, known := first[n]
	if !known {
		name, ok := i.biggest(n)
		p.symbol, p.owner = i.named(name, ok, p.section)
		if len(first) > 0 { // others have faults, so the kernel has read this page without a fault
			p.owner, p.symbol = byKernel, p.section
		}
		return p
	}
	fault := faults[number]
	here := i.section(fault.Offset)
	if !here.allocated { // .bss shares a page with .data: the file's bytes there are not loaded
		here = i.covering(n, true)
	}
	p.section = here.name
	name, ok := i.at(fault.Offset)
	p.symbol, p.owner = i.named(name, ok, here.name) // no more is known if another file's instruction has touched it
	switch by, found := i.at(fault.IPOffset); {
	case here.executable && ok: // a function that was called
		p.by, p.exact = name, true
	case fault.IPPath == f.Path && found: // data that a function of the same file wanted
		p.owner, p.by, p.exact = i.owner(by), by, true
		if !ok {
			p.symbol = here.name + " for " + by
		}
	case fault.IPPath == probe.Kernel:
		p.owner, p.symbol = byKernel, here.name
	}
	return p
}

// named returns a symbol and its owner. Without a symbol, the section takes its place.
func (i *image) named(name string, ok bool, section string) (symbol, by string) {
	if !ok {
		return section, "(" + strings.Trim(section, "()") + ")"
	}
	return name, i.owner(name)
}

func in(pages []byte, n int) bool { return n < len(pages) && pages[n]&1 == 1 }
