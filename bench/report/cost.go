package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Cost holds the cost of arms at a share of cold starts, in USD per million invocations, and the shares at which the
// cheapest arm changes. Two arms have no such share if they tie with no cold starts or with cold starts only.
type Cost struct {
	Formula   string      `json:"formula"`
	ColdShare float64     `json:"cold_share"` // assumed in USD
	Arms      []ArmCost   `json:"arms"`       // cheapest first
	Cheapest  []Cheapest  `json:"cheapest"`   // at ColdShare: for each source, and in the lab for each kind of package
	BreakEven []BreakEven `json:"break_even"` // where another arm becomes the cheapest as the share grows
}

// ArmCost is a line over the share of cold starts: Warm + share * (Cold - Warm).
type ArmCost struct {
	Arm    string        `json:"arm"`
	Source record.Source `json:"source"`
	Cold   float64       `json:"cold_usd_per_million"`
	ColdCI *[2]float64   `json:"cold_usd_ci95"` // rounds resampled
	Warm   float64       `json:"warm_usd_per_million"`
	WarmCI *[2]float64   `json:"warm_usd_ci95"`   // environments resampled; null below 10 of them
	USD    float64       `json:"usd_per_million"` // at ColdShare
	USDCI  *[2]float64   `json:"usd_ci95"`

	// Provisioned concurrency costs less than on-demand if one environment is busy for more than this share of the
	// time. Null means never, or that its price is unknown.
	ProvisionedBusy *float64    `json:"provisioned_busy_share"`
	ProvisionedCI   *[2]float64 `json:"provisioned_busy_ci95"`

	of *measured
	// Draws of Cold, of Warm and of USD: rounds and environments resampled. They are nil if there are too few
	// environments.
	cold, warm, draws []float64
}

// Cheapest is the arm that costs least and all arms that cannot be told from it.
type Cheapest struct {
	Source record.Source `json:"source"`
	Among  string        `json:"among,omitempty"`
	Arms   []string      `json:"arms"`
	Told   bool          `json:"told_apart"` // some arm is told to cost more
	Text   string        `json:"text"`

	next *Comparison // the next arm that is told to cost more, or nil
	sure string      // as in Answer
}

// BreakEven is the share of cold starts at which two arms cost the same. Below it Arm is cheaper, above it Than is.
type BreakEven struct {
	Arm       string     `json:"arm"`
	Than      string     `json:"than"`
	ColdShare float64    `json:"cold_share"`
	CI        [2]float64 `json:"cold_share_ci95"`

	of [2]int // indices of Arm and Than
}

// DefaultColdShare is the default share of cold starts in costs. AWS says that it is usually under 1 % in production.
const DefaultColdShare = 0.01

// formula says how costs are computed.
const formula = "ceil(billed ms) / 1000 x memory / 1024 MB x price of a GB-second + price of a request; " +
	"a cold start is billed for INIT and its first Duration together"

// cost computes each arm's line, the cheapest arms, and the shares at which lines cross.
func (b *builder) cost(rep *Report, all []*measured, sequences []*sequence) {
	out := &Cost{Formula: formula, ColdShare: b.coldShare(), Arms: []ArmCost{}, Cheapest: []Cheapest{},
		BreakEven: []BreakEven{}}
	lines := b.costLines(all, out.ColdShare)
	if len(lines) == 0 {
		return
	}
	for _, s := range sequences {
		for _, clocks := range s.contests {
			part := slices.DeleteFunc(slices.Clone(lines), func(l *ArmCost) bool { return !clocks[ClockInit].has(l.of) })
			if len(part) > 1 {
				out.Cheapest = append(out.Cheapest, cheapest(part, out.ColdShare, s, clocks[ClockInit].named()))
				out.BreakEven = append(out.BreakEven, breakEvens(part, s)...)
			}
		}
	}
	for _, l := range lines {
		l.Cold, l.Warm, l.USD = Round(l.Cold), Round(l.Warm), Round(l.USD)
		out.Arms = append(out.Arms, *l)
	}
	slices.SortStableFunc(out.Arms, func(x, y ArmCost) int {
		return cmp.Or(cmp.Compare(x.Source, y.Source), cmp.Compare(x.USD, y.USD))
	})
	rep.Cost = out
}

// costLines returns the costs of the arms that have a price and both cold and warm samples.
func (b *builder) costLines(all []*measured, share float64) (lines []*ArmCost) {
	var rounds stat.Rounds
	var ofRounds []*ArmCost
	for _, m := range all {
		g := m.group
		rate, ok := b.rate(g.region, g.architecture)
		c := &ArmCost{of: m, Arm: m.label, Source: g.source, Cold: perMillion(g.cold, (*coldSample).price),
			Warm: perMillion(g.warm, (*warmSample).price)}
		if !ok || g.published != "" || math.IsNaN(c.Cold) || math.IsNaN(c.Warm) {
			continue
		}
		c.USD = c.at(share)
		c.warm = m.warmCosts(c.Warm)
		lines, m.cost = append(lines, c), c
		if byRound := m.costRounds(len(m.rounds[ClockInit])); byRound != nil {
			rounds, ofRounds = append(rounds, byRound), append(ofRounds, c)
		} else {
			c.cold = stat.Rounds{column(g.cold, func(s *coldSample) float64 { return 1e6 * s.usd })}.Mean(1, m.seed)[0]
		}
		c.provision(rate)
	}
	for i, draws := range rounds.Mean(1, b.opts.Seed) {
		ofRounds[i].cold = draws
	}
	for _, l := range lines {
		l.ColdCI, l.WarmCI = bounds(l.cold), bounds(l.warm)
		l.draws = l.drawn(share)
		l.USDCI = bounds(l.draws)
	}
	return lines
}

// coldShare returns the share of cold starts that was asked for. If none was, it returns the records' own share if they
// are real traffic, which has no rounds, else DefaultColdShare.
func (b *builder) coldShare() float64 {
	if b.opts.ColdShare != nil {
		return *b.opts.ColdShare
	}
	cold, all := 0, 0
	for _, g := range b.order {
		if g.published != "" || slices.ContainsFunc(g.cold, func(c coldSample) bool { return c.round > 0 }) {
			return DefaultColdShare
		}
		cold, all = cold+len(g.cold), all+len(g.cold)+len(g.warm)
	}
	if cold == 0 || cold == all {
		return DefaultColdShare
	}
	return float64(cold) / float64(all)
}

// costRounds returns the cost of each round's cold start, or nil if records have no rounds.
func (m *measured) costRounds(n int) []float64 {
	if !m.hasRounds(ClockInit) {
		return nil
	}
	of := make([][]float64, n)
	for i := range m.group.cold {
		if c := &m.group.cold[i]; c.column >= 0 {
			of[c.column] = append(of[c.column], 1e6*c.usd)
		}
	}
	return list.Map(of, func(usd []float64) float64 { return stat.NewSample(usd).Mean() })
}

// warmCosts resamples environments around the mean cost of all calls. It returns nil if there are fewer than
// stat.MinClusters.
func (m *measured) warmCosts(mean float64) []float64 {
	average := func(usd []float64) float64 { return 1e6 * floats.Sum(usd) / float64(len(usd)) }
	means := list.Map(m.group.byEnvironment((*warmSample).price), average)
	if len(means) < stat.MinClusters {
		return nil
	}
	draws := stat.Rounds{means}.Mean(1, m.seed)[0]
	floats.AddConst(mean-stat.NewSample(means).Mean(), draws) // environments served different numbers of calls
	return draws
}

func (c *ArmCost) at(share float64) float64 { return c.Warm + share*(c.Cold-c.Warm) }

// drawn returns the draws of the cost at a share of cold starts.
func (l *ArmCost) drawn(share float64) []float64 {
	if l.warm == nil || l.cold == nil {
		return nil
	}
	out := make([]float64, len(l.warm))
	for i := range out {
		out[i] = l.warm[i] + share*(l.cold[i]-l.warm[i])
	}
	return out
}

func bounds(draws []float64) *[2]float64 {
	if draws == nil || slices.ContainsFunc(draws, math.IsNaN) {
		return nil
	}
	return rounded(stat.Bounds(slices.Clone(draws)))
}

// provision computes the share of the time that one environment must be busy for provisioned concurrency to cost less.
// Provisioned environments have no cold starts, and bill warm Durations at a price for them.
func (c *ArmCost) provision(rate price.Rate) {
	busy := func(warm, usd float64) float64 {
		gbSeconds := (warm/1e6 - rate.Request) / rate.GBSecond
		saved := usd/1e6 - rate.Request - gbSeconds*rate.ProvisionedDuration
		if rate.Provisioned == 0 || rate.ProvisionedDuration == 0 || saved <= 0 {
			return math.Inf(1)
		}
		return gbSeconds * rate.Provisioned / saved
	}
	share := busy(c.Warm, c.USD)
	if share > 1 { // one environment cannot be busier than always
		return
	}
	c.ProvisionedBusy = number(share)
	if c.warm != nil {
		ci := stat.Bounds(list.Map(c.warm, func(w float64) float64 { return busy(w, w+c.USD-c.Warm) }))
		c.ProvisionedCI = &[2]float64{Round(ci.Lo), Round(math.Min(1, ci.Hi))}
	}
}

// compareCosts compares all lines at a share of cold starts.
func compareCosts(lines []*ArmCost, share, alpha float64) *stat.Simultaneous {
	estimates, draws := make([]float64, len(lines)), make(stat.Draws, len(lines))
	for i, l := range lines {
		if estimates[i], draws[i] = l.at(share), l.drawn(share); draws[i] == nil {
			return nil
		}
	}
	return stat.Ratios(estimates, draws, alpha)
}

// costTie is the log of the smallest ratio that counts: 1 %.
const costTie = 0.01

// cheapest returns the arm that costs least at a share of cold starts, and all arms that cannot be told from it. This
// is the last claim of the sequence: it tells arms apart only if the primary claim does.
func cheapest(lines []*ArmCost, share float64, s *sequence, among string) Cheapest {
	slices.SortStableFunc(lines, func(x, y *ArmCost) int {
		return cmp.Or(cmp.Compare(x.at(share), y.at(share)), cmp.Compare(x.Arm, y.Arm))
	})
	best := lines[0]
	out := Cheapest{Source: best.Source, Among: among, Arms: []string{best.Arm}}
	table := compareCosts(lines, share, s.alpha)
	for i, l := range lines[1:] {
		if table != nil && s.told {
			if p, _ := table.Pair(i+1, 0); p.Told && p.Estimate > costTie {
				if out.next == nil {
					out.next = &Comparison{Arm: l.Arm, Ratio: Round(math.Exp(p.Estimate)), CI: exp(p.CI)}
				}
				continue
			}
		}
		out.Arms = append(out.Arms, l.Arm)
	}
	out.Told = len(out.Arms) < len(lines)
	out.Text = fmt.Sprintf("%s, %.3f USD a million", some(out.Arms), best.at(share))
	switch n := out.next; {
	case n != nil:
		out.sure, out.Text = toldApart, fmt.Sprintf("%s; %s costs %s", out.Text, n.Arm, percentChange(n.Ratio, n.CI))
	case table == nil:
		out.sure, out.Text = notTested, fmt.Sprintf("not known (needs %d environments of each arm)", stat.MinClusters)
	default:
		out.sure, out.Text = aTie, "too close to tell: "+out.Text
	}
	return out
}

// breakEvens returns the shares at which another arm becomes the cheapest. The two arms must be told apart twice: with
// no cold starts, and with cold starts only. Otherwise their lines may not cross.
func breakEvens(lines []*ArmCost, s *sequence) (out []BreakEven) {
	none, only := compareCosts(lines, 0, s.alpha), compareCosts(lines, 1, s.alpha)
	if none == nil || !s.told {
		return nil
	}
	for _, e := range envelope(lines) {
		i, j := e.of[0], e.of[1]
		warm, _ := none.Pair(j, i)
		cold, _ := only.Pair(i, j)
		if !warm.Told || !cold.Told || warm.Estimate < 0 || cold.Estimate < 0 {
			continue
		}
		a, b := lines[i], lines[j]
		draws := make([]float64, len(a.warm))
		for k := range draws {
			draws[k] = (b.warm[k] - a.warm[k]) / ((a.cold[k] - a.warm[k]) - (b.cold[k] - b.warm[k]))
		}
		ci := stat.Bounds(draws)
		e.CI = [2]float64{Round(math.Max(0, ci.Lo)), Round(math.Min(1, ci.Hi))}
		out = append(out, e)
	}
	return out
}

// envelope returns the shares at which the lowest line changes.
func envelope(lines []*ArmCost) (out []BreakEven) {
	for i, a := range lines {
		for j, b := range lines {
			share := (b.Warm - a.Warm) / ((a.Cold - a.Warm) - (b.Cold - b.Warm))
			lower := func(l *ArmCost) bool { return l.at(share) < a.at(share)*(1-1e-12) }
			if a.Warm < b.Warm && a.Cold > b.Cold && !slices.ContainsFunc(lines, lower) {
				out = append(out, BreakEven{Arm: a.Arm, Than: b.Arm, ColdShare: Round(share), of: [2]int{i, j}})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y BreakEven) int { return cmp.Compare(x.ColdShare, y.ColdShare) })
	return out
}
