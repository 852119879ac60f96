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

// Advice is a question about a package with its answer.
type Advice = html.Answer

// The most shares, cuts and unused imports that an answer names, and the least ms that are worth a name.
const (
	namedShares = 4
	namedCuts   = 3
	namedUnused = 5
	leastMs     = 0.3
)

// Advice says what INIT consists of and what could go. It is computed from the pages that were read. A saving is an
// upper limit: all KiB that count for an import, a section or a packer, at the calibration's price.
func (p Page) Advice() (out []Advice) {
	if text := p.shares(); text != "" {
		out = append(out, Advice{Question: "Where does INIT go?", Answer: text})
	}
	cuts := p.cuts()
	slices.SortStableFunc(cuts, func(a, b cut) int { return cmp.Compare(b.ms, a.ms) })
	texts := list.Map(cuts[:min(namedCuts, len(cuts))], func(c cut) string { return c.text })
	if len(texts) == 0 {
		texts = []string{"nothing stands out: what was read was used, and no import was read only for its initialization"}
	}
	out = append(out, Advice{Question: "What could go?", Answer: strings.Join(texts, "; ")})
	for _, e := range p.Files {
		if len(e.Unused) > 0 {
			names := strings.Join(list.Few(e.Unused, namedUnused), ", ")
			out = append(out, Advice{Question: "What costs nothing?",
				Answer: strings.ReplaceAll(names, "std: ", "") + ": linked, and nothing of them is read before GET /next"})
			break
		}
	}
	return out
}

// cut is something to leave out.
type cut struct {
	text string
	ms   float64
}

// cuts returns what could go, in any order.
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
			switch {
			case i.Name == "std: crypto" && e.tls && !i.touchedBy("crypto/tls.(*Conn)"):
				add(i.ReadKiB, ms, "TLS is linked, and opened no connection before the first event "+
					"(plain HTTP is enough for the Runtime API)")
			case i.onlyInit() && !slices.Contains(goRuntime, i.Name):
				add(i.ReadKiB, ms, fmt.Sprintf("%s: all %d KiB wanted of it were for its initialization",
					strings.TrimPrefix(i.Name, "std: "), i.TouchedKiB))
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
		add(symbols, ms, "read-ahead read symbol tables too (strip them: -ldflags '-s -w', strip)")
		if e.packed && p.Forecast.CPU >= leastMs {
			text := fmt.Sprintf("unpacking takes %s ms of CPU before main, which is saved without UPX (explain the file "+
				"unpacked with upx -d to see what it reads then)", digits(p.Forecast.CPU))
			out = append(out, cut{text, p.Forecast.CPU})
		}
	}
	return out
}

// fewKiB is the least KiB that say why an import was wanted: a page counts only for the code that touched it first.
const fewKiB = 16

// onlyInit reports whether package initialization was the first to touch nearly all of an import.
func (i *Item) onlyInit() bool { return i.TouchedKiB >= fewKiB && i.init*10 >= i.TouchedKiB*9 }

// touchedBy reports whether a function with this prefix touched a page of the item.
func (i *Item) touchedBy(prefix string) bool {
	functions := slices.Collect(maps.Keys(i.because))
	return slices.ContainsFunc(functions, func(name string) bool { return strings.HasPrefix(name, prefix) })
}
