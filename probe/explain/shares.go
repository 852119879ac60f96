package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// share is a part of the predicted time.
type share struct {
	name string
	kib  int
	ms   float64
}

// goRuntime lists the imports that every Go program needs.
var goRuntime = []string{"std: runtime", "std: internal", "std: sync", "std: unsafe", "(linker)"}

// shares says what takes the predicted time, largest first.
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
	descending := func(a, b *share) int { return cmp.Or(cmp.Compare(b.ms, a.ms), cmp.Compare(a.name, b.name)) }
	for i, s := range slices.SortedFunc(maps.Values(by), descending) {
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
	return fmt.Sprintf("%.0f ms [%.0f, %.0f] predicted on AWS as ZIP: %s",
		f.Init[0], f.Init[1], f.Init[2], strings.Join(parts, ", "))
}

// digits writes ms with two digits or more.
func digits(ms float64) string {
	if ms < 9.95 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}
