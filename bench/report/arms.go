package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/stat"
)

// measured is an arm with its samples, for comparing.
type measured struct {
	group        *group
	label        string
	samples      map[Clock]*stat.Sample
	tests        map[Clock]*stat.Sample // what is compared: for warm, the environments' medians
	environments [][]float64            // warm Durations of each
	rounds       map[Clock][]float64    // cold starts, by round of the report
	draws        map[drawKey][]float64
	seed         uint64
}

type drawKey struct {
	clock Clock
	q     float64
}

func (b *builder) report() (*Report, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	rep := &Report{
		Schema: Schema, Sources: b.sources(), NotMeasured: b.notMeasured(), Runs: b.runs,
		Records: b.records, Unusable: b.unusable, Warnings: []string{}, Comparisons: []Comparison{}, Arms: []Arm{}, Factors: []Factors{}, Index: []Index{}, Baselines: []Baseline{}, Alpha: stat.Alpha,
	}
	rep.Method = fmt.Sprintf("Intervals are of %.0f %%: medians by order statistics, percentiles by the exact bootstrap, ratios by %d bootstrap resamples (seed %d). "+
		"p: Mann-Whitney at the median, bootstrap in the tail, Holm-adjusted (all pairs of a clock; in the tail each arm with the best).",
		100*stat.Confidence, stat.Resamples, b.opts.Seed)
	rep.Experiment = b.order[0].experiment
	for _, g := range b.order {
		if g.experiment != rep.Experiment {
			rep.Experiment = ""
		}
	}
	var all []*measured
	for i, g := range b.order {
		all = append(all, measure(g, b.label(g), b.opts.Seed+uint64(i)))
	}
	slices.SortStableFunc(all, func(x, y *measured) int {
		return cmp.Or(cmp.Compare(x.group.source, y.group.source), cmp.Compare(center(x), center(y)), cmp.Compare(x.label, y.label))
	})
	for _, m := range all {
		rep.Arms = append(rep.Arms, b.row(m))
	}
	b.price(rep)
	rep.Warnings = append(rep.Warnings, b.warnings...)
	rep.Warnings = append(rep.Warnings, b.readingWarnings()...)
	for _, m := range all {
		rep.Warnings = append(rep.Warnings, m.warnings()...)
	}
	pairRounds(all)
	b.judge(rep, all)
	b.analyse(rep, all)
	rep.Warnings = unique(rep.Warnings)
	rep.all = all
	return rep, nil
}

// center sorts arms: by median INIT, those without cold starts last.
func center(m *measured) float64 {
	if s := m.samples[ClockInit]; s.N() > 0 {
		return s.Quantile(0.5)
	}
	return math.Inf(1)
}

func measure(g *group, label string, seed uint64) *measured {
	m := &measured{group: g, label: label, seed: seed, draws: map[drawKey][]float64{}}
	m.samples = map[Clock]*stat.Sample{
		ClockInit:  stat.NewSample(column(g.cold, func(c *coldSample) float64 { return c.init })),
		ClockTotal: stat.NewSample(column(g.cold, func(c *coldSample) float64 { return c.init + c.first })),
		ClockWait:  stat.NewSample(column(g.cold, func(c *coldSample) float64 { return c.wait })),
		ClockWarm:  stat.NewSample(column(g.warm, func(w *warmSample) float64 { return w.duration })),
	}
	m.environments = make([][]float64, len(g.environments))
	for i := range g.warm {
		w := &g.warm[i]
		m.environments[w.env] = append(m.environments[w.env], w.duration)
	}
	var medians []float64
	for _, env := range m.environments {
		medians = append(medians, stat.NewSample(env).Quantile(0.5))
	}
	m.tests = map[Clock]*stat.Sample{
		ClockInit: m.samples[ClockInit], ClockTotal: m.samples[ClockTotal], ClockWait: m.samples[ClockWait], ClockWarm: stat.NewSample(medians),
	}
	return m
}

// row is the arm's line of the table.
func (b *builder) row(m *measured) Arm {
	g := m.group
	init := distribution(m.samples[ClockInit])
	a := Arm{
		Arm: m.label, Source: g.source, Region: g.region, Bootstrap: g.bootstrap, Package: g.kind, Architecture: g.architecture,
		MemorySizeMB: g.memory, Handler: g.handler, PackageSizeBytes: g.sizeBytes,
		InitCount: init.Count, InitAverage: init.Average, InitStdDev: init.StdDev, Spread: init.Spread,
		InitReadKiB:          median(column(g.cold, func(c *coldSample) float64 { return c.readKiB })),
		InitReadChunks:       median(column(g.cold, func(c *coldSample) float64 { return c.readChunks })),
		FirstResponseReadKiB: median(column(g.cold, func(c *coldSample) float64 { return c.readFirst })),
		ColdTotal:            distribution(m.samples[ClockTotal]), CallerWait: distribution(m.samples[ClockWait]),
		Warm: distribution(m.samples[ClockWarm]), WarmWait: distribution(stat.NewSample(column(g.warm, func(w *warmSample) float64 { return w.wait }))), Environments: len(g.environments),
		ColdCost: g.billedCold.perMillion(), WarmCost: g.billedWarm.perMillion(),
		FirstAfterDeploy: g.firstAfterDeploy, FunctionErrors: g.errors, LastError: g.lastError,
	}
	if init.Count > 0 {
		a.InitTotal = number(m.samples[ClockInit].Total())
	}
	if g.maxMemory > 0 {
		a.MaxMemoryUsedMB = new(g.maxMemory)
	}
	if len(g.apart) > 0 {
		a.SetApart = g.apart
	}
	trip := median(column(g.warm, func(w *warmSample) float64 { return w.wait - w.duration }))
	if residual := median(column(g.cold, func(c *coldSample) float64 { return c.wait - c.init - c.first })); trip != nil && residual != nil {
		a.ResidualMedian = number(*residual - *trip)
	}
	return a
}

func distribution(s *stat.Sample) Distribution {
	d := Distribution{Count: s.N()}
	if s.N() == 0 {
		return d
	}
	d.Average, d.StdDev = number(s.Mean()), number(s.StdDev())
	q := func(p float64) *float64 { return number(s.Quantile(p)) }
	ci := func(p float64) *[2]float64 {
		if c, ok := s.QuantileInterval(p); ok {
			return &[2]float64{round(c.Lo), round(c.Hi)}
		}
		return nil
	}
	d.P20, d.P40, d.P50, d.P60, d.P80, d.P90, d.P95, d.Max = q(0.2), q(0.4), q(0.5), q(0.6), q(0.8), q(0.9), q(0.95), q(1)
	if _, c, ok := s.Median(); ok {
		d.P50CI = &[2]float64{round(c.Lo), round(c.Hi)}
	}
	d.P20CI, d.P40CI, d.P60CI, d.P80CI, d.P90CI, d.P95CI = ci(0.2), ci(0.4), ci(0.6), ci(0.8), ci(0.9), ci(0.95)
	if s.N() >= stat.MinP99 {
		d.P99, d.P99CI = q(0.99), ci(0.99)
	}
	if s.N() >= stat.MinP999 {
		d.P999, d.P999CI = q(0.999), ci(0.999)
	}
	return d
}

func (b *builder) price(rep *Report) {
	regions := map[string]bool{}
	for _, g := range b.order {
		if rate, ok := b.opts.Prices.Rate(g.region, g.architecture); ok {
			regions[rate.Region] = true
			if g.source == record.AWS && g.region != "" && rate.Region != g.region {
				b.warnings = append(b.warnings, fmt.Sprintf("no prices of %s: costs are %s's", g.region, rate.Region))
			}
		} else if g.architecture != "" {
			b.warnings = append(b.warnings, fmt.Sprintf("no prices of architecture %s: no costs", g.architecture))
		}
	}
	var names []string
	for r := range regions {
		names = append(names, r)
	}
	slices.Sort(names)
	if len(names) > 0 {
		rep.Prices = fmt.Sprintf("%s list of %s, first tier, INIT billed", strings.Join(names, ", "), b.opts.Prices.AsOf)
		if slices.Contains(rep.Sources, record.Lab) {
			rep.Prices += ", for the lab's durations: what AWS would bill if it took as long"
		}
	}
}

func (s sum) perMillion() *float64 {
	if s.n == 0 {
		return nil
	}
	return number(1e6 * s.usd / float64(s.n))
}

func median(xs []float64) *float64 {
	if len(xs) == 0 {
		return nil
	}
	return number(stat.NewSample(xs).Quantile(0.5))
}

// number is nil for what is none. Figures keep six digits after the point: a nanosecond, and a millionth of a USD.
func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return new(round(x))
}

func round(x float64) float64 { return math.Round(x*1e6) / 1e6 }

func unique(in []string) []string {
	out := in[:0]
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
