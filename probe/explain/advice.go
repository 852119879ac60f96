package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	html "github.com/twinstart/twinstart/bench/show/page"
)

// Advice is a sentence about a package, and the question that it answers.
type Advice = html.Answer

// Shares and cuts that a sentence names; what saves less than leastMs is not worth a change.
const (
	namedShares = 4
	namedCuts   = 3
	namedUnused = 4
	leastMs     = 0.3
)

// Advice says what INIT consists of, and what of it could go. All of it is computed from the pages that were read; a
// saving is at most the KiB that would not be, at the calibration's price.
func (p Page) Advice() (out []Advice) {
	if text := p.shares(); text != "" {
		out = append(out, Advice{Question: "Where does INIT go?", Answer: text})
	}
	cuts := p.cuts()
	slices.SortStableFunc(cuts, func(a, b cut) int { return cmp.Compare(b.ms, a.ms) })
	texts := list.Map(cuts[:min(namedCuts, len(cuts))], func(c cut) string { return c.text })
	if len(texts) == 0 {
		texts = []string{"nothing stands out: what was read was used, and nothing is there for its own initialisation alone"}
	}
	out = append(out, Advice{Question: "What could go?", Answer: strings.Join(texts, "; ")})
	for _, e := range p.Files {
		if n := len(e.Unused); n > 0 {
			names := strings.Join(e.Unused[:min(namedUnused, n)], ", ")
			if n > namedUnused {
				names += fmt.Sprintf(" and %d more", n-namedUnused)
			}
			out = append(out, Advice{Question: "What costs nothing?",
				Answer: strings.ReplaceAll(names, "std: ", "") + ": linked, and nothing of them is read before GET /next"})
			break
		}
	}
	return out
}

type share struct {
	name string
	kib  int
	ms   float64
}

// goRuntime are the imports without which no Go program starts.
var goRuntime = []string{"std: runtime", "std: internal", "std: sync", "std: unsafe", "(linker)"}

// shares is where the predicted time goes, largest first.
func (p Page) shares() string {
	f := p.Forecast
	if f.MsPerKiB == 0 {
		return ""
	}
	by := map[string]*share{}
	for _, e := range p.Files {
		items := e.Imports
		if len(items) == 0 {
			items = e.Owners
		}
		for _, i := range items {
			name := i.Name
			switch {
			case !e.Package:
				name = "the base's files"
			case slices.Contains(goRuntime, name) && len(e.Imports) > 0:
				name = "Go's runtime"
			case strings.HasPrefix(name, "("):
				name = "headers and data without an owner"
			}
			if by[name] == nil {
				by[name] = &share{name: strings.TrimPrefix(name, "std: ")}
			}
			by[name].kib += i.ReadKiB
			by[name].ms += f.Ms(e) * float64(i.ReadKiB)
		}
	}
	var parts []string
	rest := share{}
	for i, s := range slices.SortedFunc(maps.Values(by), func(a, b *share) int {
		return cmp.Or(cmp.Compare(b.ms, a.ms), cmp.Compare(a.name, b.name))
	}) {
		if i < namedShares && s.ms >= leastMs {
			parts = append(parts, fmt.Sprintf("%s %s (%d KiB)", digits(s.ms), s.name, s.kib))
			continue
		}
		rest.kib, rest.ms = rest.kib+s.kib, rest.ms+s.ms
	}
	if rest.ms >= leastMs {
		parts = append(parts, fmt.Sprintf("%s the rest (%d KiB)", digits(rest.ms), rest.kib))
	}
	if f.CPU >= leastMs {
		parts = append(parts, digits(f.CPU)+" CPU beyond the usual")
	}
	if f.Init == nil {
		return "by the calibration's price of a KiB, in ms: " + strings.Join(parts, ", ")
	}
	if f.Fixed >= leastMs {
		parts = append(parts, digits(f.Fixed)+" what any package takes")
	}
	return fmt.Sprintf("%.0f ms [%.0f, %.0f] predicted on AWS as ZIP: %s", f.Init[0], f.Init[1], f.Init[2], strings.Join(parts, ", "))
}

func digits(ms float64) string {
	if ms < 9.95 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

// cut is something to leave out.
type cut struct {
	text string
	ms   float64
}

func (p Page) cuts() (out []cut) {
	add := func(kib int, msPerKiB float64, text string) {
		if ms := msPerKiB * float64(kib); ms >= leastMs {
			out = append(out, cut{fmt.Sprintf("%s: without it up to %s ms less (%d KiB)", text, digits(ms), kib), ms})
		}
	}
	for _, e := range p.Files {
		if !e.Package {
			continue
		}
		ms := p.Forecast.Ms(e)
		for _, i := range e.Imports {
			name := strings.TrimPrefix(i.Name, "std: ")
			switch {
			case i.Name == "std: crypto" && e.tls && !i.touchedBy("crypto/tls.(*Conn)"):
				add(i.ReadKiB, ms, "TLS is linked, and opened no connection before the first event (plain HTTP does for the Runtime API)")
			case i.onlyInit() && !slices.Contains(goRuntime, i.Name):
				add(i.ReadKiB, ms, fmt.Sprintf("%s: all %d KiB that were wanted of it were wanted by its initialisation", name, i.TouchedKiB))
			}
		}
		relocations, symbols := 0, 0
		for _, s := range e.Sections {
			switch name := s.Name; {
			case strings.HasPrefix(name, ".rel"):
				relocations += s.ReadKiB
			case strings.HasPrefix(name, ".debug") || name == ".symtab" || name == ".strtab":
				symbols += s.ReadKiB
			}
		}
		add(relocations, ms, "relocations of a position-independent executable (link without -pie)")
		add(symbols, ms, "symbol tables came along with what is read (strip them: -ldflags '-s -w', strip)")
		if e.packed && p.Forecast.CPU >= leastMs {
			out = append(out, cut{fmt.Sprintf("unpacking takes %s ms of CPU before main: without UPX it is gone (explain the unpacked file, upx -d, for what that reads)", digits(p.Forecast.CPU)), p.Forecast.CPU})
		}
	}
	return out
}

// fewKiB are too few pages to say what an import was wanted for: a page is counted for who touched it first, and others
// may follow.
const fewKiB = 16

// onlyInit says whether package initialisation was the first to touch next to all of an import.
func (i *Item) onlyInit() bool { return i.TouchedKiB >= fewKiB && i.init*10 >= i.TouchedKiB*9 }

// touchedBy says whether a function whose name begins so touched a page of it.
func (i *Item) touchedBy(prefix string) bool {
	for function := range i.because {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

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
