package explain

import (
	"math"
	"strings"

	"github.com/twinstart/twinstart/probe"
)

// page is one page that was read, and on whose account.
type page struct {
	section, owner, symbol string
	by                     string // the function whose instruction touched it first; "" is not known
	read, touched          int    // KiB
	order                  int    // among the faults; a page that did not fault comes last
	exact                  bool
	init                   bool // by touched by package initialisation
}

// The owners of pages that nobody's code touched.
const (
	byKernel = "(kernel: loads the program, reads files)"
	unknown  = "(not named)"
)

// pages resolves every page of a file that was read or touched. One that only read-ahead brought in goes where the nearest touched
// page goes: it came along.
func (i *image) pages(f probe.File, faults []probe.Fault) (out []page) {
	first := map[int]int{} // page -> fault
	for n, fault := range faults {
		if fault.Path == f.Path {
			number := int(fault.Offset / pageSize)
			if _, known := first[number]; !known {
				first[number] = n
			}
		}
	}
	numbers := max(len(f.Touched), len(f.ReadAhead))
	owners := make([]page, numbers)
	wanted := make([]bool, numbers)
	for n := range numbers {
		if _, faulted := first[n]; !in(f.Touched, n) && (!faulted || f.Touched != nil) {
			continue
		}
		wanted[n] = true
		owners[n] = i.resolve(f, n, faults, first)
		owners[n].touched = pageKiB
	}
	if f.Touched == nil && len(first) == 0 { // nothing is known but what was read
		for n := range numbers {
			if in(f.ReadAhead, n) {
				wanted[n], owners[n] = true, i.resolve(f, n, nil, nil)
			}
		}
	}
	for n := range numbers {
		p := owners[n]
		if !wanted[n] {
			if !in(f.ReadAhead, n) {
				continue
			}
			p = i.alongWith(n, owners, wanted)
		}
		if in(f.ReadAhead, n) {
			p.read = pageKiB
		}
		out = append(out, p)
	}
	return out
}

// alongWith is the nearest touched page's owner for a page that only came along; its section is its own.
func (i *image) alongWith(n int, owners []page, wanted []bool) page {
	for distance := 1; distance < len(owners); distance++ {
		for _, m := range []int{n - distance, n + distance} {
			if m >= 0 && m < len(owners) && wanted[m] {
				p := owners[m]
				p.touched, p.section = 0, i.covering(n).name
				return p
			}
		}
	}
	return page{section: i.covering(n).name, owner: unknown, symbol: unknown, order: math.MaxInt}
}

// resolve says on whose account one page was touched.
func (i *image) resolve(f probe.File, n int, faults []probe.Fault, first map[int]int) page {
	p := page{section: i.loaded(n).name, order: math.MaxInt}
	number, known := first[n]
	if !known {
		name, ok := i.biggest(n)
		p.symbol, p.owner = i.named(name, ok, p.section)
		if len(first) > 0 { // others faulted: the kernel brought this one in by itself
			p.owner, p.symbol = byKernel, p.section
		}
		return p
	}
	fault := faults[number]
	p.order = number
	here := i.section(fault.Offset)
	if !here.allocated { // the memory behind .data, which a page of the file shares with what is not loaded
		here = i.loaded(n)
	}
	p.section = here.name
	name, ok := i.at(fault.Offset)
	switch {
	case here.executable && ok: // a function that was called
		p.symbol, p.owner = name, i.owner(name)
		p.by, p.exact = name, true
	case fault.IPPath == f.Path: // data that a function of the same file wanted
		by, found := i.at(fault.IPOffset)
		p.symbol, p.owner = i.named(name, ok, here.name)
		if found {
			p.owner, p.by, p.exact = i.owner(by), by, true
			if !ok {
				p.symbol = here.name + " for " + by
			}
		}
	case fault.IPPath == probe.Kernel:
		p.owner, p.symbol = byKernel, here.name
	default: // an emulator's instruction, or another file's
		p.symbol, p.owner = i.named(name, ok, here.name)
	}
	p.init = isInit(p.by)
	return p
}

// named is a symbol with its owner; what has no name goes by its section.
func (i *image) named(name string, ok bool, section string) (symbol, by string) {
	if !ok {
		return section, "(" + strings.Trim(section, "()") + ")"
	}
	return name, i.owner(name)
}

func in(pages []byte, n int) bool { return n < len(pages) && pages[n]&1 == 1 }
