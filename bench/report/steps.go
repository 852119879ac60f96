package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
)

// Step compares an arm with another arm that differs in one thing: its function, in the same language, or its memory.
type Step struct {
	Source record.Source `json:"source"`
	Arm    string        `json:"arm"`
	Than   string        `json:"than"`
	Of     string        `json:"of"`             // what both have in common: "go/zip"
	Step   string        `json:"step"`           // what Arm does that Than does not
	Rung   bool          `json:"rung,omitempty"` // part of the ladder, whose steps add up
	Gains  Gains         `json:"gains"`          // Arm against Than
}

// ladder says what each function of handlers/geo adds to the one before it. Functions that use a table make one call
// during INIT.
var ladder = []struct{ function, adds string }{
	{"wave", ""}, {"client", "SDK, client"}, {"warmup", "a call"}, {"search", "eight more calls"},
}

// StepClocks are the clocks of steps.
var StepClocks = []Clock{ClockInit, ClockFirst, ClockTotal, ClockWarm}

// steps compares the functions of each language, and its sizes of memory. All comparisons are one family.
func steps(rep *Report, all []*measured) {
	language := func(g *group) string { return fmt.Sprintf("%s/%s", g.bootstrap, g.kind) }
	for _, arms := range groupBy(all, func(g *group) identity {
		id := g.identity
		id.arm, id.handler = language(g), ""
		return id
	}) {
		one := arms[0].group
		if one.bootstrap == "" || one.published != "" || crossed(arms) == nil {
			continue
		}
		of := strings.Replace(arms[0].label, one.arm, language(one), 1)
		find := func(function string) (found *measured) {
			for _, m := range arms {
				if m.group.handler == function && m.tests[ClockInit].N() >= minCell {
					found = cmp.Or(found, m)
				}
			}
			return found
		}
		var than *measured
		var adds []string
		for _, rung := range ladder {
			adds = append(adds, rung.adds)
			m := find(rung.function)
			if m == nil {
				continue
			}
			if than != nil {
				rep.step(m, than, Step{Of: of, Step: "+ " + and(adds), Rung: true})
			}
			than, adds = m, nil
		}
		if one, atOnce := find("search"), find("search-concurrent"); one != nil && atOnce != nil {
			rep.step(atOnce, one, Step{Of: of, Step: "nine calls at once instead of one by one"})
		}
	}
	for _, arms := range groupBy(all, func(g *group) identity {
		id := g.identity
		id.memory = 0
		return id
	}) {
		slices.SortFunc(arms, func(a, b *measured) int { return a.group.memory - b.group.memory })
		for i, m := range arms[1:] {
			if m.group.published == "" && m.group.lever == "" && m.group.memory > arms[i].group.memory {
				says := fmt.Sprintf("%d MB instead of %d", arms[i].group.memory, m.group.memory)
				rep.step(arms[i], m, Step{Of: m.group.arm, Step: says})
			}
		}
	}
	tell(list.Map(rep.Steps, func(s Step) Gains { return s.Gains }), rep.Alpha)
}

// step adds a step, if there is anything to compare.
func (rep *Report) step(m, than *measured, s Step) {
	s.Source, s.Arm, s.Than, s.Gains = m.group.source, m.label, than.label, gains(m, than, StepClocks)
	if len(s.Gains) > 0 {
		rep.Steps = append(rep.Steps, s)
	}
}
