package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
)

// side is a set of arms that may be compared: of one source, and either measured or published. In the lab they are also
// of one kind of package, because the lab mounts a ZIP and an image in the same way.
type side struct {
	source    record.Source
	published string
	among     arm.Package // in the lab, if there are several kinds of package
	function  string      // if a language or bootstrap has several
}

// named returns the function and the kind of package of the side's arms; "" means all arms of the source.
func (s side) named() string { return strings.TrimSpace(s.function + " " + string(s.among)) }

func (s side) has(m *measured) bool {
	return m.group.source == s.source && m.group.published == s.published &&
		(s.among == "" || m.group.kind == s.among) && (s.function == "" || m.group.handler == s.function)
}

// kinds returns the sides of each sequence of claims. There is a sequence for each source, in order. Its sides are the
// functions, and in the lab the kinds of package.
func kinds(all []*measured) (out [][]side) {
	ofOne := func(g *group) identity { return identity{source: g.source, published: g.published} }
	for _, arms := range groupBy(all, ofOne) {
		known := !slices.ContainsFunc(arms, func(m *measured) bool { return !slices.Contains(arm.Packages(), m.group.kind) })
		functions := crossed(arms)
		var parts []side
		for _, m := range arms {
			part := side{source: m.group.source, published: m.group.published}
			if part.source == record.Lab && part.published == "" && known && slices.ContainsFunc(arms,
				func(o *measured) bool { return o.group.kind != m.group.kind }) {
				part.among = m.group.kind
			}
			if functions != nil {
				part.function = m.group.handler
			}
			parts = list.Add(parts, part)
		}
		slices.SortStableFunc(parts, func(a, b side) int {
			return cmp.Or(cmp.Compare(slices.Index(functions, a.function), slices.Index(functions, b.function)),
				cmp.Compare(slices.Index(arm.Packages(), a.among), slices.Index(arm.Packages(), b.among)))
		})
		out = append(out, parts)
	}
	return out
}

// crossed returns the functions of arms if they are a factor, that is if one language or bootstrap has several.
func crossed(arms []*measured) (functions []string) {
	of, several := map[string]string{}, false
	for _, m := range arms {
		if m.group.bootstrap == "" || m.group.handler == "" {
			return nil
		}
		first, seen := of[m.group.bootstrap]
		several = several || seen && first != m.group.handler
		of[m.group.bootstrap] = m.group.handler
		functions = list.Add(functions, m.group.handler)
	}
	if !several {
		return nil
	}
	return functions
}
