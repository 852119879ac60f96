package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// sectionHint says what a section is read for, and by which functions most.
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
	functions := slices.SortedFunc(maps.Keys(i.because), func(a, b string) int { return cmp.Or(i.because[b]-i.because[a], cmp.Compare(a, b)) })
	var out []string
	for _, f := range functions[:min(3, len(functions))] {
		if kib := i.because[f]; kib >= 2*pageKiB {
			out = append(out, fmt.Sprintf("%s %d", f, kib))
		}
	}
	return strings.Join(out, ", ")
}

func sectionPurpose(s *Item) string {
	switch strings.TrimPrefix(s.Name, ".data.rel.ro") {
	case ".gopclntab":
		return "Go's function table: read where stacks grow or are walked (deep calls, runtime.Callers, panics), each time for the functions on the stack; its size goes with all code that is linked in"
	case ".rela.dyn", ".rel.dyn", ".relr.dyn":
		return "relocations of a position-independent executable: all of it is read, and writes to what it names; link without -pie"
	case ".eh_frame", ".eh_frame_hdr", ".gcc_except_table":
		return "unwind tables: read when something throws or panics"
	case ".dynsym", ".dynstr", ".gnu.hash", ".gnu.version", ".gnu.version_r":
		return "dynamic linking: link statically"
	}
	if strings.HasPrefix(s.Name, ".debug") || s.Name == ".symtab" || s.Name == ".strtab" {
		return "never needed at a start: came along with read-ahead"
	}
	if s.ReadKiB > 0 && s.TouchedKiB*3 < s.ReadKiB && s.ReadKiB >= 128 {
		return fmt.Sprintf("%d KiB wanted, the rest came along: what is used lies scattered", s.TouchedKiB)
	}
	return ""
}

// ownerHint says what an owner's pages were wanted for, where one function stands out.
func ownerHint(o *Item, e *Explanation) string {
	if o.TouchedKiB < 2*pageKiB || !e.Exact {
		return ""
	}
	if o.init*10 >= o.TouchedKiB*6 {
		return fmt.Sprintf("touched but only for its initialisation (%d of %d KiB by init and package-level variables)", o.init, o.TouchedKiB)
	}
	for function, kib := range o.because {
		if kib*10 >= o.TouchedKiB*6 && kib >= 2*pageKiB && function != o.Name {
			return fmt.Sprintf("touched but only for %s (%d of %d KiB)", function, kib, o.TouchedKiB)
		}
	}
	if o.init >= 4*pageKiB && o.init*4 >= o.TouchedKiB {
		return fmt.Sprintf("%d of %d KiB for its initialisation", o.init, o.TouchedKiB)
	}
	return ""
}
