package report

import (
	"cmp"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/price"
)

// DefaultColdShare is the share of cold starts that costs are shown for, unless asked otherwise: AWS says that under 1 % is usual in
// production.
const DefaultColdShare = 0.01

// formula is how every cost here comes about.
const formula = "ceil(billed ms) / 1000 x memory / 1024 MB x price of a GB-second + price of a request; a cold start is billed for INIT and its first Duration together"

// cost draws each arm's line over the share of cold starts, and where lines cross.
func (b *builder) cost(rep *Report, all []*measured) {
	out := &Cost{Formula: formula, ColdShare: *b.opts.ColdShare, Arms: []ArmCost{}, BreakEven: []BreakEven{}}
	for _, m := range all {
		g := m.group
		rate, ok := b.opts.Prices.Rate(g.region, g.architecture)
		if !ok || g.published != "" || g.billedCold.n == 0 || g.billedWarm.n == 0 {
			continue
		}
		c := ArmCost{Arm: m.label, Source: g.source, Cold: 1e6 * g.billedCold.mean(), Warm: 1e6 * g.billedWarm.mean()}
		c.USD = c.at(out.ColdShare)
		c.provision(g.memory, rate)
		c.Cold, c.Warm, c.USD = round(c.Cold), round(c.Warm), round(c.USD)
		out.Arms = append(out.Arms, c)
	}
	if len(out.Arms) == 0 {
		return
	}
	slices.SortStableFunc(out.Arms, func(x, y ArmCost) int { return cmp.Or(cmp.Compare(x.Source, y.Source), cmp.Compare(x.USD, y.USD)) })
	for _, source := range rep.Sources {
		out.BreakEven = append(out.BreakEven, envelope(out.Arms, source)...)
	}
	rep.Cost = out
}

func (s sum) mean() float64 { return s.usd / float64(s.n) }

// at is the cost at a share of cold starts.
func (c *ArmCost) at(share float64) float64 { return c.Warm + share*(c.Cold-c.Warm) }

// provision asks from when on provisioned concurrency would cost less. It has no cold starts, and bills warm Durations at its own price.
func (c *ArmCost) provision(memoryMB int, rate price.Rate) {
	gbSeconds := (c.Warm/1e6 - rate.Request) / rate.GBSecond
	perHour, ok := rate.BreakEven(memoryMB, c.USD/1e6, gbSeconds*rate.ProvisionedDuration+rate.Request)
	if !ok {
		return
	}
	busy := perHour * gbSeconds / (float64(memoryMB) / 1024) / 3600
	if busy <= 1 { // one environment cannot be busier than always
		c.ProvisionedBusy, c.ProvisionedRate = number(busy), new(math.Round(perHour))
	}
}

// envelope is at which shares another arm becomes the cheapest, from no cold starts to nothing but.
func envelope(arms []ArmCost, source record.Source) (out []BreakEven) {
	var lines []ArmCost
	for _, a := range arms {
		if a.Source == source {
			lines = append(lines, a)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	current := slices.MinFunc(lines, func(x, y ArmCost) int { return cmp.Or(cmp.Compare(x.Warm, y.Warm), cmp.Compare(x.Cold, y.Cold)) })
	for share := 0.0; ; {
		var next *ArmCost
		at := 1.0
		for i := range lines {
			l := &lines[i]
			steep, flat := current.Cold-current.Warm, l.Cold-l.Warm
			if flat >= steep {
				continue
			}
			if s := (l.Warm - current.Warm) / (steep - flat); s > share && s < at {
				next, at = l, s
			}
		}
		if next == nil {
			return out
		}
		out = append(out, BreakEven{Arm: current.Arm, Than: next.Arm, ColdShare: round(at)})
		current, share = *next, at
	}
}
