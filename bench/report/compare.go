package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// contest compares the arms of a side by one clock.
type contest struct {
	side
	clock Clock
	arms  []*measured // arms that have samples, best median first
	alpha float64
	level float64     // level of one pair, for usually faster
	pairs [][]pairing // usually faster: pairs[i][j] compares i with j; it has an interval if the two are told apart
	tail  *resampling // nil if its claim was not tested

	dependence func() stat.Dependence // between neighbouring rounds, over all pairs
}

// resampling is a quantile of arms, best first, with the ratios of its resamples.
type resampling struct {
	at    At
	arms  []*measured
	table *stat.Simultaneous
}

// pairing is the result of testing one pair.
type pairing struct {
	stat.Shift // of logs
	test       string
	why        string // why there was no test; "" if there was one
}

func newContest(s side, clock Clock, all []*measured, alpha float64) *contest {
	c := &contest{side: s, clock: clock, alpha: alpha}
	c.dependence = sync.OnceValue(c.shared)
	// By INIT a restore has no rival but restores; by the clocks that end with a response it has all.
	inits := clock == ClockInit && slices.ContainsFunc(all, func(m *measured) bool { return s.has(m) && m.group.restore == "" && m.tests[clock].N() > 0 })
	for _, m := range all {
		if s.has(m) && m.tests[clock].N() > 0 && (clock != ClockWarm || m.group.loaded == nil) && (!inits || m.group.restore == "") {
			c.arms = append(c.arms, m)
		}
	}
	slices.SortStableFunc(c.arms, func(a, b *measured) int {
		return cmp.Compare(a.tests[clock].Quantile(0.5), b.tests[clock].Quantile(0.5))
	})
	return c
}

// shared is the dependence of neighbouring rounds, after a round's effect on two arms is taken off.
func (c *contest) shared() stat.Dependence {
	var pairs []stat.Dependence
	for i, a := range c.arms {
		for _, b := range c.arms[:i] {
			if c.otherRounds(a, b) == "" {
				pairs = append(pairs, stat.Depends(logRatios(a, b, c.clock)))
			}
		}
	}
	return stat.Shared(pairs, len(c.arms))
}

// The names of the tests.
const (
	signedRanks = "signed ranks within rounds"
	rankSums    = "rank sums of all values"
	resampled   = "rounds resampled"
)

// usually tests all pairs. It returns false if no samples of this size could tell any pair apart.
func (c *contest) usually() (can bool) {
	c.level = stat.Family{Arms: len(c.arms), Alpha: c.alpha}.Level()
	c.pairs = make([][]pairing, len(c.arms))
	for i := range c.pairs {
		c.pairs[i] = make([]pairing, len(c.arms))
	}
	for i := range c.arms {
		for j := range i {
			p := c.pair(i, j, false)
			can = can || p.why == ""
			c.pairs[i][j], c.pairs[j][i] = p, p.reversed()
		}
	}
	return can
}

func (p pairing) reversed() pairing {
	p.Estimate, p.CI = -p.Estimate, stat.Interval{Lo: -p.CI.Hi, Hi: -p.CI.Lo}
	return p
}

// pair chooses the test by what was measured, not by the result: within rounds if both arms have enough of them, else
// over all values. Arms that were measured in different rounds are not compared, because the days may differ. With
// whole, arms that are not told apart get an interval, too.
func (c *contest) pair(i, j int, whole bool) pairing {
	a, b := c.arms[i], c.arms[j]
	x, y := Logs(a.tests[c.clock].InOrder()), Logs(b.tests[c.clock].InOrder())
	if slices.Min(x) == slices.Max(x) && slices.Min(y) == slices.Max(y) {
		return untested(noSpread)
	}
	if why := c.otherRounds(a, b); why != "" {
		return untested(why)
	}
	if c.clock != ClockWarm {
		d := logRatios(a, b, c.clock)
		if !whole && len(d) >= stat.LeastPairs(c.level) && !stat.MayTell(d, c.level) {
			return pairing{Shift: stat.Shift{P: 1}, test: signedRanks}
		}
		if s, ok := stat.Paired(d, c.level, c.dependence()); ok {
			return pairing{Shift: s, test: signedRanks}
		}
	}
	s, ok := stat.Unpaired(x, y, c.level)
	if !ok {
		return untested(fmt.Sprintf("%d and %s are too few to tell %s apart", len(x), Plural(len(y), c.replicate()), Plural(len(c.arms), "arm")))
	}
	return pairing{Shift: s, test: rankSums}
}

// otherRounds says why two arms that were measured in different rounds cannot be compared; "" if they can.
func (c *contest) otherRounds(a, b *measured) string {
	if c.clock == ClockWarm || !a.hasRounds(c.clock) || !b.hasRounds(c.clock) {
		return ""
	}
	shared, of := len(logRatios(a, b, c.clock)), min(a.replicates(c.clock), b.replicates(c.clock))
	if 2*shared >= of {
		return ""
	}
	return fmt.Sprintf("they share %s of %d: other rounds are other days", Plural(shared, "round"), of)
}

const noSpread = "their values do not vary, so nothing says how far chance reaches"

func untested(why string) pairing { return pairing{Shift: stat.Shift{P: 1}, why: why} }

// best returns the arm that the others are compared with: of the arms that no other is told to beat, the one that is
// told from most others, and of several the one with the lowest median. So an arm that beats another is never passed
// over for one that beats none.
func (c *contest) best() (best int) {
	most := -1
	for i, pairs := range c.pairs {
		wins, beaten := 0, false
		for _, p := range pairs {
			if p.Told && p.Estimate < 0 {
				wins++
			}
			beaten = beaten || p.Told && p.Estimate > 0
		}
		if !beaten && wins > most {
			best, most = i, wins
		}
	}
	return best
}

// comparison compares arm i with arm j.
func (c *contest) comparison(i, j int) Comparison {
	return c.describe(c.arms[i], c.arms[j], UsuallyFaster, c.whole(i, j))
}

// whole tests a pair with its interval, and adjusts the p-value for all pairs.
func (c *contest) whole(i, j int) pairing {
	p := c.pair(i, j, true)
	p.P = stat.Family{Arms: len(c.arms), Alpha: c.alpha}.Adjust(p.P)
	return p
}

func (c *contest) describe(a, b *measured, at At, p pairing) Comparison {
	out := Comparison{Clock: c.clock, At: at, Arm: a.label, Than: b.label, Ratio: round(math.Exp(p.Estimate)), CI: exp(p.CI),
		P: p.P, Told: p.Told, Test: p.test, N: p.N, Why: p.why}
	if p.Effective < float64(p.N) {
		out.Effective = math.Round(10*p.Effective) / 10
	}
	return out
}

// power returns the chance that a test detects a ratio of 1.05, and the ratio that it detects in 80 % of runs. Both
// follow from the half width of its interval, which is critical standard errors.
func power(p *pairing, critical float64) (of5 float64, detects float64) {
	half := (p.CI.Hi - p.CI.Lo) / 2
	return distuv.UnitNormal.CDF(critical * (math.Log(1.05)/half - 1)), math.Exp(half * (1 + z80/critical))
}

// z80 is the normal distribution's 80th percentile.
const z80 = 0.8416

// quantile resamples a quantile of the arms that have enough values. The others are returned in aside.
func (c *contest) quantile(q float64, least int) (ranked []*measured, table *stat.Simultaneous, aside []string) {
	for _, m := range c.arms {
		if m.replicates(c.clock) < least {
			aside = append(aside, m.label)
		} else {
			ranked = append(ranked, m)
		}
	}
	if len(ranked) < 2 {
		return nil, nil, aside
	}
	draw(ranked, c.clock, q, c.arms[0].seed)
	value := func(m *measured) float64 { return m.at(c.clock, q) }
	slices.SortStableFunc(ranked, func(a, b *measured) int { return cmp.Compare(value(a), value(b)) })
	estimates, draws := make([]float64, len(ranked)), make(stat.Draws, len(ranked))
	for i, m := range ranked {
		estimates[i], draws[i] = value(m), m.draws[drawKey{c.clock, q}]
	}
	return ranked, stat.Ratios(estimates, draws, c.alpha), aside
}

// at returns a quantile of the values that are compared. The median of warm samples is that of environments' medians.
func (m *measured) at(clock Clock, q float64) float64 {
	if q == 0.5 {
		return m.tests[clock].Quantile(q)
	}
	return m.samples[clock].Quantile(q)
}

func percentile(q float64) string { return fmt.Sprintf("p%.0f", 100*q) }

// replicates returns the number of independent values of an arm: environments for warm samples, else cold starts.
func (m *measured) replicates(clock Clock) int { return m.tests[clock].N() }

func (c *contest) replicate() string {
	if len(c.arms) > 0 && c.arms[0].group.loaded != nil {
		return "repeat"
	}
	return cmp.Or(map[Clock]string{ClockWarm: "environment"}[c.clock], "cold start")
}

// Decided judges cold starts at a level, as a report's primary claim by that clock does. It reports whether any arms
// are told apart, and whether the best arm of each side is told from every other arm. An arm without samples is not
// beaten.
func Decided(records []*record.Record, clock Clock, level float64) (told, decided bool) {
	b := newBuilder(Options{})
	for _, r := range records {
		b.add(r, "", map[*group]measuredAt{})
	}
	decided = len(b.order) > 1
	all := make([]*measured, len(b.order))
	for i, g := range b.order {
		all[i] = measure(g, b.label(g), 0)
		decided = decided && all[i].tests[clock].N() > 0
	}
	pairRounds(all)
	for _, parts := range kinds(all) {
		for _, part := range parts {
			c := newContest(part, clock, all, stat.Sidak(level, len(parts)))
			c.usually()
			best := c.best()
			for i, pairs := range c.pairs {
				for j := range pairs {
					told = told || pairs[j].Told
				}
				decided = decided && (i == best || pairs[best].Told)
			}
		}
	}
	return told, decided
}
