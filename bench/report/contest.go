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
	pairs [][]pairing // usually faster: pairs[i][j] compares i with j; it may lack an interval if they are not told apart
	tail  *resampling // nil if its claim was not tested

	dependence func() stat.Dependence // between neighbouring rounds, over all pairs
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
	for _, m := range all {
		if s.has(m) && m.tests[clock].N() > 0 && (clock != ClockWarm || m.group.loaded == nil) {
			c.arms = append(c.arms, m)
		}
	}
	// By INIT, restores are compared only if nothing else is. By the clocks that end with a response, all are compared.
	restored := func(m *measured) bool { return m.group.restore != "" }
	if inits := slices.DeleteFunc(slices.Clone(c.arms), restored); clock == ClockInit && len(inits) > 0 {
		c.arms = inits
	}
	slices.SortStableFunc(c.arms, func(a, b *measured) int {
		return cmp.Compare(a.tests[clock].Quantile(0.5), b.tests[clock].Quantile(0.5))
	})
	return c
}

// shared returns the dependence between neighbouring rounds, over all pairs. Log ratios are free of a round's effect on
// both arms.
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
	for i := range c.arms {
		c.pairs[i] = make([]pairing, len(c.arms))
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

// pair tests arm i against arm j. It chooses the test by what was measured, not by the result: within rounds if both
// arms have enough of them, else over all values. Arms that were measured in different rounds are not compared, because
// the days may differ. If whole is set, arms that are not told apart get an interval, too.
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
		return untested(fmt.Sprintf("%d and %s are too few to tell %s apart", len(x), Plural(len(y), c.replicate()),
			Plural(len(c.arms), "arm")))
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
	return fmt.Sprintf("they share %s of %d, and other rounds may be of other days", Plural(shared, "round"), of)
}

const noSpread = "their values do not vary, so chance cannot be measured"

func untested(why string) pairing { return pairing{Shift: stat.Shift{P: 1}, why: why} }

// best returns the arm that the others are compared with. It is an arm that no other is told to beat: the one that
// beats most others, and of several the one with the lowest median.
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
	out := Comparison{Clock: c.clock, At: at, Arm: a.label, Than: b.label, Ratio: Round(math.Exp(p.Estimate)),
		CI: exp(p.CI), P: p.P, Told: p.Told, Test: p.test, N: p.N, Why: p.why}
	if p.Effective < float64(p.N) {
		out.Effective = math.Round(10*p.Effective) / 10
	}
	return out
}

// power returns the chance that a test tells a ratio of 1.05 apart, and the ratio that it tells in 80 % of runs. Both
// follow from the half width of its interval, which is as many standard errors as critical says.
func power(p *pairing, critical float64) (of5 float64, detects float64) {
	half := (p.CI.Hi - p.CI.Lo) / 2
	return distuv.UnitNormal.CDF(critical * (math.Log(1.05)/half - 1)), math.Exp(half * (1 + z80/critical))
}

// z80 is the normal distribution's 80th percentile.
const z80 = 0.8416

// at returns a quantile of the values that are compared. For warm samples the median is the median of environments'
// medians.
func (m *measured) at(clock Clock, q float64) float64 {
	if q == 0.5 {
		return m.tests[clock].Quantile(q)
	}
	return m.samples[clock].Quantile(q)
}

// replicates returns the number of independent values of an arm: environments for warm samples, else cold starts.
func (m *measured) replicates(clock Clock) int { return m.tests[clock].N() }

func (c *contest) replicate() string {
	if len(c.arms) > 0 && c.arms[0].group.loaded != nil {
		return "repeat"
	}
	return cmp.Or(map[Clock]string{ClockWarm: "environment"}[c.clock], "cold start")
}

// Decided judges cold starts by a clock at a level, as a report's primary claim does. It reports whether any arms are
// told apart, and whether the best arm of each side is told from every other arm. As long as an arm has no samples,
// nothing is decided.
func Decided(records []*record.Record, clock Clock, level float64) (told, decided bool) {
	b := newBuilder(Options{})
	for _, r := range records {
		b.add(r, "")
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
				told = told || slices.ContainsFunc(pairs, func(p pairing) bool { return p.Told })
				decided = decided && (i == best || pairs[best].Told)
			}
		}
	}
	return told, decided
}
