package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// usuallyClaim says which arm is usually faster, by how much, and how surely.
func (c *contest) usuallyClaim(out *Claim) []Comparison {
	can := c.usually()
	at := c.best()
	ranked := append([]*measured{c.arms[at]}, slices.Delete(slices.Clone(c.arms), at, at+1)...)
	var pairs []pairing
	for i := range c.arms {
		if i != at {
			pairs = append(pairs, c.whole(i, at))
		}
	}
	if !can {
		out.Text = fmt.Sprintf("not tested: %s.", pairs[0].why)
		return nil
	}
	critical := stat.Family{Arms: len(c.arms), Alpha: c.alpha}.Critical()
	return c.say(out, ranked, pairs, medianText(c.arms[at].tests[c.clock]), critical)
}

// tailClaim says which arm has the better tail, at the highest percentile that the arms have enough samples for.
func (c *contest) tailClaim(out *Claim) []Comparison {
	all := list.Map(c.arms, func(m *measured) int { return m.replicates(c.clock) })
	enough := slices.DeleteFunc(slices.Clone(all), func(n int) bool { return n < stat.MinTail })
	if len(enough) == 0 {
		out.Text = fmt.Sprintf("not tested: no arm has more than %s, and p90 needs %d.",
			Plural(slices.Max(all), c.replicate()), stat.MinTail)
		return nil
	}
	q, _ := stat.Tail(slices.Min(enough))
	out.At = At(fmt.Sprintf("lower p%.0f", 100*q))
	pairs := c.resampled(out, q, stat.MinTail)
	if q < 0.99 && out.Tested {
		out.Text = strings.TrimSuffix(out.Text, ".") + "; higher percentiles need more samples."
	}
	return pairs
}

// say fills in a claim from the best arm, ranked[0], and its pairs with the other arms. value is the best arm's time.
// critical is half the width of an interval, in standard errors.
func (c *contest) say(out *Claim, ranked []*measured, pairs []pairing, value string, critical float64) []Comparison {
	var all []Comparison
	best := ranked[0]
	var ties, apart []string
	var powers, detects []float64
	out.Arms, out.Winners = 1, []string{best.label}
	for i := range pairs {
		p := &pairs[i]
		cmp := c.describe(ranked[i+1], best, out.At, *p)
		all = append(all, cmp)
		if p.why != "" {
			apart = append(apart, fmt.Sprintf("%s (%s)", cmp.Arm, p.why))
			continue
		}
		out.Arms++
		of5, from := power(p, critical)
		powers, detects = append(powers, of5), append(detects, from)
		switch {
		case !cmp.Told:
			ties = append(ties, fmt.Sprintf("%s (%s)", cmp.Arm, times(cmp)))
			out.Winners = append(out.Winners, cmp.Arm)
		case out.next == nil:
			out.next = &cmp
		}
	}
	if out.Arms < 2 {
		out.Winners = []string{}
		out.Text = fmt.Sprintf("not tested: no arm can be compared with %s: %s.", best.label, and(apart))
		return nil
	}
	out.Tested, out.Power, out.Detects = true, median(powers), median(detects)
	var s strings.Builder
	if len(ties) == 0 {
		fmt.Fprintf(&s, "%s, %s", best.label, value)
	} else {
		fmt.Fprintf(&s, "a tie of %d: %s, %s, cannot be told apart from %s", len(ties)+1, best.label, value, and(ties))
	}
	if out.next != nil {
		fmt.Fprintf(&s, "; %s takes %s", out.next.Arm, by(*out.next))
	}
	if len(apart) > 0 {
		fmt.Fprintf(&s, "; not compared: %s", and(apart))
	}
	if out.Power != nil && *out.Power < 0.995 {
		fmt.Fprintf(&s, "; such a run finds a difference of 5 %% with a chance of %.0f %%", 100**out.Power)
	}
	out.Text = s.String() + "."
	return all
}
