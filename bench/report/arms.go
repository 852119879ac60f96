package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// measured is an arm with its samples.
type measured struct {
	group        *group
	label        string
	row          *Arm
	samples      map[Clock]*stat.Sample
	tests        map[Clock]*stat.Sample // values that are compared; for warm samples, the medians of environments
	environments [][]float64            // warm Durations, by environment
	rounds       map[Clock][]float64    // cold starts, by round
	draws        map[drawKey][]float64
	cost         *ArmCost // nil without a price, or without cold or warm samples
	seed         uint64
}

func (b *builder) report() (*Report, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	rep := &Report{
		Schema: Schema, Sources: b.sources(), NotMeasured: b.notMeasured(), Runs: b.runs,
		Records: b.records, Unusable: b.unusable, Warnings: []string{}, Comparisons: []Comparison{}, Arms: []*Arm{}, Factors: []Factors{}, Index: []Index{}, Baselines: []Baseline{}, Alpha: stat.Alpha,
	}
	rep.Method = fmt.Sprintf("Intervals are of %.0f %%: percentiles by order statistics. Usually faster: signed ranks of log ratios within rounds (without rounds: rank sums), ratio by Hodges and "+
		"Lehmann, interval and p of the same test over all pairs (studentized range). Lower median and lower tail: %d resamples of whole rounds (seed %d), all pairs at once. "+
		"Warm intervals draw environments, not invocations.",
		100*stat.Confidence, stat.Resamples, b.opts.Seed)
	if len(b.order) > 0 && !slices.ContainsFunc(b.order, func(g *group) bool { return g.experiment != b.order[0].experiment }) {
		rep.Experiment = b.order[0].experiment
	}
	all := make([]*measured, len(b.order))
	each(len(b.order), func(i int) { all[i] = measure(b.order[i], b.label(b.order[i]), b.opts.Seed+uint64(i)) })
	slices.SortStableFunc(all, func(x, y *measured) int {
		return cmp.Or(cmp.Compare(x.group.source, y.group.source), cmp.Compare(x.group.published, y.group.published), cmp.Compare(center(x), center(y)), cmp.Compare(x.label, y.label))
	})
	each(len(all), func(i int) { all[i].row = b.row(all[i]) })
	for _, m := range all {
		rep.Arms = append(rep.Arms, m.row)
	}
	rep.predict()
	b.price(rep)
	rep.Warnings = slices.Concat(b.warnings, b.readingWarnings(), b.phaseWarnings())
	for _, m := range all {
		rep.Warnings = append(rep.Warnings, m.warnings()...)
	}
	rep.Warnings = append(rep.Warnings, trendWarnings(all)...)
	for _, run := range b.runs {
		if s := run.Sequential; s != nil && s.Level > 0 && s.Level < rep.Alpha {
			rep.Alpha = s.Level
			rep.Warnings = append(rep.Warnings, fmt.Sprintf("run %s looked at its own results by %s, %s, to stop once a winner is certain: arms are told apart where p < %.2g, "+
				"so that the chance of any false claim stays below %g", run.RunID, s.Clock, Plural(s.Looks, "time"), s.Level, s.Alpha))
		}
	}
	pairRounds(all)
	for _, c := range allClocks {
		draw(all, c, 0.5, b.opts.Seed)
	}
	draw(all, ClockLoad, 0.5, b.opts.Seed)
	sequences := b.judge(rep, all)
	b.analyse(rep, all, sequences)
	b.cost(rep, all, sequences)
	b.levers(rep, all)
	steps(rep, all)
	rep.Findings = findings(rep, all, sequences)
	rep.Answers = answers(rep, sequences)
	b.index(rep, all)
	rep.Baselines = append(append(rep.Baselines, b.summaries...), b.opts.Baselines...)
	rep.Warnings = list.Add([]string{}, rep.Warnings...)
	rep.gaps = b.pace.gaps
	return rep, nil
}

// center is the sort key of arms: the median INIT. Arms without cold starts come last.
func center(m *measured) float64 {
	if s := m.samples[ClockInit]; s.N() > 0 {
		return s.Quantile(0.5)
	}
	return math.Inf(1)
}

func measure(g *group, label string, seed uint64) *measured {
	m := &measured{group: g, label: label, seed: seed, draws: map[drawKey][]float64{}}
	m.samples = map[Clock]*stat.Sample{ClockWarm: stat.NewSample(column(g.warm, func(w *warmSample) float64 { return w.duration }))}
	for _, clock := range append([]Clock{ClockFirst}, coldClocks...) {
		m.samples[clock] = stat.NewSample(column(g.cold, func(c *coldSample) float64 { return c.by(clock) }))
	}
	m.samples[ClockLoad] = stat.NewSample(nil)
	if g.loaded != nil {
		m.samples[ClockLoad] = stat.NewSample(column(g.loaded.answered, func(s *loadSample) float64 { return s.latency }))
	}
	m.environments = g.byEnvironment(func(w *warmSample) float64 { return w.duration })
	m.tests = maps.Clone(m.samples)
	m.tests[ClockWarm] = stat.NewSample(list.Map(m.environments, middle))
	return m
}

// row returns the arm's row of the table.
func (b *builder) row(m *measured) *Arm {
	g := m.group
	init := distribution(m.samples[ClockInit])
	a := &Arm{
		ID: g.arm, Arm: m.label, Restore: g.restore, StandIn: g.standIn, Source: g.source, Region: g.region, Bootstrap: g.bootstrap, Package: g.kind, Architecture: g.architecture,
		MemorySizeMB: g.memory, Handler: g.handler, Published: g.published, PackageSizeBytes: g.sizeBytes,
		InitCount: init.Count, InitAverage: init.Average, InitStdDev: init.StdDev, Spread: init.Spread,
		InitReadKiB:          cmp.Or(g.counted.InitPackageReadKiB, g.readStart()),
		InitReadChunks:       cmp.Or(number(orNaN(g.counted.InitPackageReadChunks)), median(column(g.cold, func(c *coldSample) float64 { return c.readChunks }))),
		FirstResponseReadKiB: cmp.Or(g.counted.FirstResponsePackageReadKiB, median(column(g.cold, func(c *coldSample) float64 { return c.readFirst }))),
		ManagedRuntime:       g.counted.ManagedRuntime,
		InitBaseReadKiB:      g.counted.InitBaseReadKiB, InitLibcReadKiB: g.counted.InitLibcReadKiB, InitWarmCPUMs: g.counted.InitWarmCPUMs,
		InitCPUMs:           median(column(g.cold, func(c *coldSample) float64 { return c.cpu })),
		InitPageFaults:      median(column(g.cold, func(c *coldSample) float64 { return c.faults })),
		InitMajorPageFaults: median(column(g.cold, func(c *coldSample) float64 { return c.majorFaults })),
		ColdTotal:           distribution(m.samples[ClockTotal]), CallerWait: distribution(m.samples[ClockWait]),
		Warm: clustered(m.environments, m.seed), Environments: len(g.environments),
		ColdCost: number(perMillion(g.cold, (*coldSample).price)), WarmCost: number(perMillion(g.warm, (*warmSample).price)),
		ColdBilled: median(column(g.cold, func(c *coldSample) float64 { return c.billed })), WarmBilled: median(column(g.warm, func(w *warmSample) float64 { return w.billed })),
		Phases:           g.phaseRows(),
		FirstAfterDeploy: g.firstAfterDeploy, FunctionErrors: g.errors, LastError: g.lastError, of: m,
	}
	if init.Count > 0 {
		a.InitTotal = number(m.samples[ClockInit].Total())
	}
	if g.loaded != nil {
		a.Load = g.loaded.row(g, m.seed)
	}
	if g.maxMemory > 0 {
		a.MaxMemoryUsedMB = new(g.maxMemory)
	}
	if len(g.apart) > 0 {
		a.SetApart = g.apart
	}
	a.Outlier, a.OutlierCount = m.outliers()
	trip := median(column(g.warm, func(w *warmSample) float64 { return w.wait - w.duration }))
	if residual := median(column(g.cold, func(c *coldSample) float64 { return c.wait - c.init - c.first })); trip != nil && residual != nil {
		a.ResidualMedian = number(*residual - *trip)
	}
	return a
}

// clustered returns the distribution of values of which only those of different clusters are independent, such as
// warm invocations of one environment. Intervals come from resampling clusters; there are none with fewer than
// stat.MinClusters.
func clustered(environments [][]float64, seed uint64) Distribution {
	d := distribution(stat.NewSample(slices.Concat(environments...)))
	all := d.Quantiles()
	qs := list.Map(all, func(q Quantile) float64 { return q.Q })
	cis, ok := stat.NewClusters(environments).Intervals(qs, seed)
	for i, q := range all {
		*q.CI = nil
		if _, enough := stat.Order(len(environments), q.Q); ok && enough && *q.Value != nil { // the number of environments decides, not that of invocations
			*q.CI = &[2]float64{round(cis[i].Lo), round(cis[i].Hi)}
		}
	}
	return d
}

// each calls f for 0 to n-1, on all CPUs.
func each(n int, f func(int)) {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() error { f(i); return nil })
	}
	g.Wait() //nolint:errcheck // no call returns an error
}

func distribution(s *stat.Sample) Distribution {
	d := Distribution{Count: s.N()}
	if s.N() == 0 {
		return d
	}
	d.Average, d.StdDev = number(s.Mean()), number(s.StdDev())
	d.Max = number(s.Quantile(1))
	for _, q := range d.Quantiles() {
		if s.N() < q.Least {
			continue
		}
		*q.Value = number(s.Quantile(q.Q))
		if c, ok := s.Interval(q.Q); ok {
			*q.CI = &[2]float64{round(c.Lo), round(c.Hi)}
		}
	}
	return d
}

func (b *builder) price(rep *Report) {
	lists, lacking := map[string]bool{}, map[string]bool{}
	for _, g := range b.order {
		rate, ok := b.rate(g.region, g.architecture)
		if ok {
			lists[rate.Region+" list of "+rate.AsOf] = true
		} else if g.architecture != "" {
			lacking[fmt.Sprintf("no price in USD for %s (%s): its arms have no costs; --prices FILE gives one", rate.Region, g.architecture)] = true
		}
	}
	b.warnings = append(b.warnings, slices.Sorted(maps.Keys(lacking))...)
	if len(lists) > 0 {
		rep.Prices = strings.Join(slices.Sorted(maps.Keys(lists)), ", ") + ", first tier, INIT billed"
		if slices.Contains(rep.Sources, record.Lab) {
			rep.Prices += ", for the lab's durations: what AWS would bill if it took as long"
		}
	}
}

// rate returns a price, if it is in USD, the currency of all costs here.
func (b *builder) rate(region string, a arm.Architecture) (price.Rate, bool) {
	rate, ok := b.opts.Prices.Rate(region, a)
	return rate, ok && rate.Currency == price.USD
}

func median(xs []float64) *float64 {
	if len(xs) == 0 {
		return nil
	}
	return number(stat.NewSample(xs).Quantile(0.5))
}

// number returns nil for NaN and infinities. Figures keep six decimals: a nanosecond, or a millionth of a USD.
func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return new(round(x))
}

func round(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// exp returns the interval of a ratio from the interval of its log.
func exp(ci stat.Interval) [2]float64 {
	return [2]float64{round(math.Exp(ci.Lo)), round(math.Exp(ci.Hi))}
}
