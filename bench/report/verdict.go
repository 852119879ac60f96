package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// clocks returns the clocks in the order in which claims are tested. INIT and restores have only the later clocks in
// common.
func (b *builder) clocks() []Clock {
	clocks := allClocks
	switch {
	case slices.ContainsFunc(b.order, func(g *group) bool { return g.load != "" }):
		clocks = append([]Clock{ClockLoad}, clocks...)
	case slices.ContainsFunc(b.order, func(g *group) bool { return g.restore != "" }):
		clocks = list.Add([]Clock{ClockTotal}, clocks...)
	}
	if p := b.opts.Primary; p != "" {
		clocks = list.Add([]Clock{p}, clocks...)
	}
	return clocks
}

// judge adds the comparisons and the verdict.
//
// One claim is primary. Each later claim is tested only if the one before it told arms apart, so that all of them
// together err no more often than the first (a fixed sequence of tests: Maurer, Hothorn and Lehmacher 1995). A claim
// with too few samples is skipped, whatever their values. Warm Duration comes last unless it is primary: arms that do
// the same work tie there, and a tie ends the sequence.
func (b *builder) judge(rep *Report, all []*measured) (sequences []*sequence) {
	v := &rep.Verdict
	v.Claims = []*Claim{}
	clocks := b.clocks()
	middle, last := clocks, ""
	if clocks[len(clocks)-1] == ClockWarm {
		middle, last = clocks[:len(clocks)-1], ", then warm Duration"
	}
	names := list.Map(middle, func(c Clock) string { return string(c) })
	v.Sequence = fmt.Sprintf("first %q by %s (the primary claim), then %q by it, then both by %s, then the tail by "+
		"each%s. Each is tested only if the one before it told arms apart",
		UsuallyFaster, names[0], LowerMedian, and(names[1:]), last)
	for _, parts := range kinds(all) {
		s := &sequence{rep: rep, alpha: stat.Sidak(rep.Alpha, len(parts))}
		s.side = side{source: parts[0].source, published: parts[0].published}
		for _, part := range parts {
			s.contests = append(s.contests, map[Clock]*contest{})
			for _, clock := range clocks {
				s.contests[len(s.contests)-1][clock] = newContest(part, clock, all, s.alpha)
			}
		}
		for _, group := range [][]Clock{middle, clocks[len(middle):]} {
			for _, clock := range group {
				s.step(clock, UsuallyFaster, (*contest).usuallyClaim)
				s.step(clock, LowerMedian, func(c *contest, to *Claim) []Comparison { return c.resampled(to, 0.5, stat.MinMedian) })
			}
			for _, clock := range group {
				s.step(clock, LowerTail, (*contest).tailClaim)
			}
		}
		s.told = slices.ContainsFunc(s.claims, func(c *Claim) bool { return c.Primary && c.Told() })
		sequences = append(sequences, s)
		v.Claims = append(v.Claims, s.claims...)
		v.Claims = append(v.Claims, folklore(s.contests)...)
	}
	for _, source := range rep.Sources {
		v.Limits = append(v.Limits, limits[source]...)
	}
	return sequences
}

// sequence tests claims about a side's arms in order.
type sequence struct {
	side     // all arms of a source
	rep      *Report
	alpha    float64              // of each part
	contests []map[Clock]*contest // of each part of the side
	claims   []*Claim
	closed   string // the claim that ended the sequence; "" if claims are still tested
	told     bool   // the primary claim told arms apart
}

// step makes a claim for each part. The sequence goes on if one of them tells arms apart.
func (s *sequence) step(clock Clock, at At, claim func(*contest, *Claim) []Comparison) {
	could, told := false, false
	var made []*Claim
	for _, contests := range s.contests {
		c := contests[clock]
		if len(c.arms) < 2 {
			continue
		}
		topic := cmp.Or(map[Clock]string{ClockWarm: "warm", ClockLoad: "load"}[clock], "cold")
		out := &Claim{Topic: topic, Source: c.source, Published: c.published, Among: c.named(), Clock: clock, At: at,
			Arms: len(c.arms), Winners: []string{}, Primary: len(s.claims) == 0, of: c.arms}
		if why := c.refused(); why != "" {
			out.Text = "not tested: " + why + "."
		} else if s.closed == "" {
			s.rep.Comparisons = append(s.rep.Comparisons, claim(c, out)...)
		} else {
			out.Text = fmt.Sprintf("not tested, because %s told no arms apart.", s.closed)
		}
		could, told = could || out.Tested, told || out.Told()
		made = append(made, out)
	}
	if s.closed == "" && could && !told {
		s.closed = fmt.Sprintf("%q by %s", made[0].At, clock)
	}
	s.claims = append(s.claims, made...)
}
