package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// judge adds comparisons and the verdict.
func (b *builder) judge(rep *Report, all []*measured) {
	v := &rep.Verdict
	v.Claims = []Claim{}
	var heads []string
	for _, k := range kinds(all) {
		source := k.source
		contests := map[Clock]*contest{}
		var names []string
		before := len(v.Claims)
		clocks := []Clock{ClockInit, ClockTotal, ClockWait, ClockWarm}
		made := make([]*contest, len(clocks))
		each(len(clocks), func(i int) { made[i] = newContest(k, clocks[i], all, rep.Alpha) })
		for i, clock := range clocks {
			c := made[i]
			contests[clock] = c
			if len(c.arms) < 2 {
				continue
			}
			claim, cmps := c.medianClaim()
			v.Claims = append(v.Claims, claim)
			rep.Comparisons = append(rep.Comparisons, cmps...)
			if who := either(claim.Winners); len(names) > 0 && strings.HasPrefix(names[len(names)-1], who+" by ") {
				names[len(names)-1] += " and " + string(clock)
			} else {
				names = append(names, fmt.Sprintf("%s by %s", who, clock))
			}
			claim, cmps = c.tailClaim()
			v.Claims = append(v.Claims, claim)
			rep.Comparisons = append(rep.Comparisons, cmps...)
		}
		if len(names) == 0 {
			names = []string{"one arm only, nothing to compare"}
		}
		heads = append(heads, fmt.Sprintf("%s: %s.", label(k), strings.Join(names, "; ")))
		v.Claims = append(v.Claims, folklore(source, contests)...)
		for i := range v.Claims[before:] {
			v.Claims[before+i].Published = k.published
		}
	}
	v.Summary = strings.Join(heads, " ")
	v.Limits = limits(rep)
}

// sourceKind is what arms are compared with: their own source, and measured ones never with published ones.
type sourceKind struct {
	source    record.Source
	published string
}

func kinds(all []*measured) (out []sourceKind) {
	for _, m := range all { // sorted by kind
		if k := (sourceKind{m.group.source, m.group.published}); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

func label(k sourceKind) string {
	switch {
	case k.published != "":
		return fmt.Sprintf("Fastest as published by %s (not measured here), at the median", k.published)
	case k.source == record.AWS:
		return "Fastest on AWS, at the median"
	}
	return "Fastest in the lab (not AWS), at the median"
}

func (c *contest) topic() string {
	if c.clock == ClockWarm {
		return "warm"
	}
	return "cold"
}

// medianClaim says who wins at the median, by how much, how surely.
func (c *contest) medianClaim() (Claim, []Comparison) {
	claim := Claim{Topic: c.topic(), Source: c.source, Clock: c.clock, At: "median", Winners: []string{c.arms[0].label}}
	var all []Comparison
	var ties []string
	next := -1
	for i := 1; i < len(c.arms); i++ {
		cmp := c.medians(i, 0)
		all = append(all, cmp)
		if cmp.Told {
			if next < 0 {
				next = i
			}
			continue
		}
		ties = append(ties, fmt.Sprintf("%s (%s)", c.arms[i].label, ratio(cmp)))
		claim.Winners = append(claim.Winners, c.arms[i].label)
	}
	best := c.arms[0]
	var s strings.Builder
	fmt.Fprintf(&s, "%s wins with %s", best.label, c.center(best))
	if len(ties) > 0 {
		s.Reset()
		fmt.Fprintf(&s, "a tie of %d: %s has the least, %s, and cannot be told from %s", len(ties)+1, best.label, c.center(best), list(ties))
	}
	if next >= 0 {
		fmt.Fprintf(&s, "; %s is %s", c.arms[next].label, by(all[next-1]))
	}
	if n := min(best.replicates(c.clock), c.arms[len(c.arms)-1].replicates(c.clock)); len(ties) == len(c.arms)-1 && n < 10 {
		fmt.Fprintf(&s, "; %d %s an arm are too few to tell", n, c.replicate())
	}
	claim.Text = s.String() + "."
	return claim, all
}

func (c *contest) replicate() string {
	if c.clock == ClockWarm {
		return "environments"
	}
	return "cold starts"
}

func (c *contest) center(m *measured) string {
	median, ci, ok := m.tests[c.clock].Median()
	if !ok {
		return ms(median)
	}
	return fmt.Sprintf("%s [%s, %s]", ms(median), digits(ci.Lo), digits(ci.Hi))
}

// tailClaim says who wins in the tail, where there are enough samples to say.
func (c *contest) tailClaim() (Claim, []Comparison) {
	claim := Claim{Topic: c.topic(), Source: c.source, Clock: c.clock, At: "tail", Winners: []string{}}
	q, ranked, results, aside := c.tail()
	if q == 0 {
		n := 0
		for _, m := range c.arms {
			n = max(n, m.replicates(c.clock))
		}
		claim.Text = fmt.Sprintf("the tail cannot be said: %d %s an arm at most, p90 needs %d.", n, c.replicate(), stat.MinTail)
		return claim, nil
	}
	claim.At = percentile(q)
	best := ranked[0]
	claim.Winners = append(claim.Winners, best.label)
	var ties []string
	next := -1
	for i, r := range results {
		if r.Told {
			if next < 0 {
				next = i
			}
			continue
		}
		ties = append(ties, fmt.Sprintf("%s (%s)", r.Arm, ratio(r)))
		claim.Winners = append(claim.Winners, r.Arm)
	}
	var s strings.Builder
	value := ms(best.samples[c.clock].Quantile(q))
	if ci, ok := best.samples[c.clock].QuantileInterval(q); ok && c.clock != ClockWarm {
		value += fmt.Sprintf(" [%s, %s]", digits(ci.Lo), digits(ci.Hi))
	}
	if len(ties) == 0 {
		fmt.Fprintf(&s, "%s wins with %s", best.label, value)
	} else {
		fmt.Fprintf(&s, "a tie of %d: %s has the least, %s, and cannot be told from %s", len(ties)+1, best.label, value, list(ties))
	}
	if next >= 0 {
		fmt.Fprintf(&s, "; %s is %s", results[next].Arm, by(results[next]))
	}
	if len(aside) > 0 {
		fmt.Fprintf(&s, "; too few samples to say of %s", list(aside))
	}
	if q < 0.99 {
		fmt.Fprintf(&s, "; farther out there are too few samples to say")
	}
	claim.Text = s.String() + "."
	return claim, results
}

// limits is what the figures cannot say, whatever they are.
func limits(rep *Report) (out []string) {
	for _, s := range rep.Sources {
		if s == record.AWS {
			out = append(out,
				"One run is one day in one region: days differ by more than many effects. Repeat it on other days before you decide.",
				"INIT and cold total leave out download, unpacking and placement; only the caller's wait sees them.")
			continue
		}
		out = append(out,
			"These are lab figures of this machine, not AWS figures: compare arms with each other, not milliseconds with published ones. The KiB read repeat on any machine and carry over; the times do not. What is predicted on AWS from them is a hypothesis with an interval (docs/model.md), until a run with --source aws and twinstart calibrate.",
			"The lab cannot say what AWS adds before INIT: download and unpacking of a ZIP (its size shows there), placement, the network.",
			"The lab cannot say how an image does on AWS: there it comes lazily in 512 KiB chunks through shared caches, fast when they are warm, with a long tail when not. Whether image beats ZIP, and the tail of either, needs a run with --source aws.")
		architectures := map[string]bool{}
		for _, a := range rep.Arms {
			if a.Source == record.Lab && a.Architecture != "" {
				architectures[string(a.Architecture)] = true
			}
		}
		if len(architectures) == 1 {
			for a := range architectures {
				out = append(out, fmt.Sprintf("Measured on %s only; the other architecture needs a run of its own.", a))
			}
		}
	}
	return out
}
