package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

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

// method says how intervals and p-values are computed.
const method = "All intervals are %.0f %% intervals, those of percentiles by order statistics. \"Usually faster\" is " +
	"tested by signed ranks of log ratios within rounds (without rounds: rank sums). Its ratio is Hodges and Lehmann's; " +
	"interval and p are of the same test, over all pairs (studentized range). \"Lower median\" and tails are tested by " +
	"%d resamples of whole rounds (seed %d), all pairs at once. For warm invocations environments are resampled."

// report computes the report of the records that were read.
func (b *builder) report() (*Report, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	rep := &Report{
		Schema: Schema, Sources: b.sources(), NotMeasured: b.notMeasured(), Runs: b.runs,
		Records: b.records, Unusable: b.unusable, Alpha: stat.Alpha, Comparisons: []Comparison{}, Factors: []Factors{},
		Index: []Index{}, Baselines: append(append([]Baseline{}, b.summaries...), b.opts.Baselines...),
		Method: fmt.Sprintf(method, 100*stat.Confidence, stat.Resamples, b.opts.Seed), gaps: b.pace.gaps,
	}
	names := list.Map(b.order, func(g *group) string { return g.experiment })
	if names = list.Add(nil, names...); len(names) == 1 {
		rep.Experiment = names[0]
	}
	all := make([]*measured, len(b.order))
	var done sync.WaitGroup
	for i, g := range b.order {
		done.Go(func() {
			all[i] = measure(g, b.label(g), b.opts.Seed+uint64(i))
			all[i].summarize()
		})
	}
	done.Wait()
	slices.SortStableFunc(all, func(x, y *measured) int {
		return cmp.Or(cmp.Compare(x.group.source, y.group.source), cmp.Compare(x.group.published, y.group.published),
			cmp.Compare(center(x), center(y)), cmp.Compare(x.label, y.label))
	})
	rep.Arms = list.Map(all, func(m *measured) *Arm { return m.row })
	rep.predict()
	b.price(rep)
	warnings := slices.Concat(b.warnings, b.readingWarnings(), b.phaseWarnings(), armWarnings(all), trendWarnings(all))
	rep.Warnings = list.Add([]string{}, warnings...) // without doubles
	for _, run := range b.runs {
		if s := run.Sequential; s != nil && s.Level > 0 && s.Level < rep.Alpha {
			rep.Alpha = s.Level
			rep.Warnings = append(rep.Warnings, fmt.Sprintf("run %s looked at its own results by %s, %s, to stop once a winner "+
				"is certain: arms are told apart if p < %.2g, so that the chance of any false claim stays below %g",
				run.RunID, s.Clock, Plural(s.Looks, "time"), s.Level, s.Alpha))
		}
	}
	pairRounds(all)
	for _, c := range append(allClocks, ClockLoad) {
		draw(all, c, 0.5, b.opts.Seed)
	}
	sequences := b.judge(rep, all)
	analyse(rep, ClockInit, all, sequences)
	analyse(rep, ClockLoad, all, sequences)
	b.cost(rep, all, sequences)
	b.levers(rep, all)
	steps(rep, all)
	rep.Findings = findings(rep, all, sequences)
	rep.Answers = answers(rep, sequences)
	b.index(rep, all)
	return rep, nil
}

// center is the sort key of arms: the median INIT. Arms without cold starts come last.
func center(m *measured) float64 {
	if s := m.samples[ClockInit]; s.N() > 0 {
		return s.Quantile(0.5)
	}
	return math.Inf(1)
}

// measure makes the samples of an arm.
func measure(g *group, label string, seed uint64) *measured {
	m := &measured{group: g, label: label, seed: seed, draws: map[drawKey][]float64{}}
	duration := func(w *warmSample) float64 { return w.duration }
	m.samples = map[Clock]*stat.Sample{ClockWarm: stat.NewSample(column(g.warm, duration)), ClockLoad: stat.NewSample(nil)}
	for _, clock := range startClocks {
		m.samples[clock] = stat.NewSample(column(g.cold, func(c *coldSample) float64 { return c.by(clock) }))
	}
	if g.loaded != nil {
		m.samples[ClockLoad] = stat.NewSample(column(g.loaded.answered, func(s *loadSample) float64 { return s.latency }))
	}
	m.environments = g.byEnvironment(duration)
	m.tests = maps.Clone(m.samples)
	m.tests[ClockWarm] = stat.NewSample(list.Map(m.environments, middle))
	return m
}

// summarize makes the arm's row of the table.
func (m *measured) summarize() {
	g := m.group
	cold := func(of func(*coldSample) float64) *float64 { return median(column(g.cold, of)) }
	warm := func(of func(*warmSample) float64) *float64 { return median(column(g.warm, of)) }
	init, counted := distribution(m.samples[ClockInit]), &g.counted
	a := &Arm{
		ID: g.arm, Arm: m.label, Restore: g.restore, StandIn: g.standIn, Source: g.source, Region: g.region,
		Bootstrap: g.bootstrap, Package: g.kind, Architecture: g.architecture, MemorySizeMB: g.memory,
		Handler: g.handler, Published: g.published, PackageSizeBytes: g.sizeBytes,
		InitCount: init.Count, InitAverage: init.Average, InitStdDev: init.StdDev, Spread: init.Spread,
		InitReadKiB: cmp.Or(counted.InitPackageReadKiB, g.readStart()),
		InitReadChunks: cmp.Or(number(orNaN(counted.InitPackageReadChunks)),
			cold(func(c *coldSample) float64 { return c.readChunks })),
		FirstResponseReadKiB: cmp.Or(counted.FirstResponsePackageReadKiB,
			cold(func(c *coldSample) float64 { return c.readFirst })),
		ManagedRuntime: counted.ManagedRuntime, InitBaseReadKiB: counted.InitBaseReadKiB,
		InitLibcReadKiB: counted.InitLibcReadKiB, InitWarmCPUMs: counted.InitWarmCPUMs,
		InitCPUMs:           cold(func(c *coldSample) float64 { return c.cpu }),
		InitPageFaults:      cold(func(c *coldSample) float64 { return c.faults }),
		InitMajorPageFaults: cold(func(c *coldSample) float64 { return c.majorFaults }),
		ColdTotal:           distribution(m.samples[ClockTotal]), CallerWait: distribution(m.samples[ClockWait]),
		Warm: clustered(m.environments, m.seed), Environments: len(g.environments),
		ColdCost: number(perMillion(g.cold, (*coldSample).price)), WarmCost: number(perMillion(g.warm, (*warmSample).price)),
		ColdBilled: cold(func(c *coldSample) float64 { return c.billed }),
		WarmBilled: warm(func(w *warmSample) float64 { return w.billed }),
		SetApart:   g.apart, FirstAfterDeploy: g.firstAfterDeploy, MaxMemoryUsedMB: g.maxMemory,
		FunctionErrors: g.errors, LastError: g.lastError, of: m,
	}
	for _, s := range Stages() {
		a.Phases = append(a.Phases, phases(s, g.moments[s])...)
	}
	if init.Count > 0 {
		a.InitTotal = number(m.samples[ClockInit].Total())
	}
	if g.loaded != nil {
		a.Load = g.loaded.row(g, m.seed)
	}
	a.Outlier, a.OutlierCount = m.outliers()
	trip := warm(func(w *warmSample) float64 { return w.wait - w.duration })
	before := cold(func(c *coldSample) float64 { return c.wait - c.init - c.first })
	if trip != nil && before != nil {
		a.ResidualMedian = number(*before - *trip)
	}
	m.row = a
}

// price notes the price lists that costs are computed with, and warns of regions without prices.
func (b *builder) price(rep *Report) {
	var lists []string
	for _, g := range b.order {
		if rate, ok := b.rate(g.region, g.architecture); ok {
			lists = list.Add(lists, rate.Region+" list of "+rate.AsOf)
		} else if g.architecture != "" {
			b.warnings = list.Add(b.warnings, fmt.Sprintf("no price in USD for %s (%s): its arms have no costs; "+
				"--prices FILE gives one", rate.Region, g.architecture))
		}
	}
	if slices.Sort(lists); len(lists) > 0 {
		rep.Prices = strings.Join(lists, ", ") + ", first tier, with INIT billed"
		if slices.Contains(rep.Sources, record.Lab) {
			rep.Prices += "; the lab's durations cost what AWS would bill if it took as long"
		}
	}
}

// rate returns the price of a region and an architecture. It is not ok if the price is unknown or not in USD.
func (b *builder) rate(region string, a arm.Architecture) (price.Rate, bool) {
	rate, ok := b.opts.Prices.Rate(region, a)
	return rate, ok && rate.Currency == price.USD
}

// median returns the median as a report has it: null if there are no values.
func median(xs []float64) *float64 { return number(middle(xs)) }

// number returns nil for NaN and infinities. Six decimals are a nanosecond, or a millionth of a USD.
func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return new(Round(x))
}

// Round keeps six decimals, so that the JSON form stays readable.
func Round(x float64) float64 { return math.Round(x*1e6) / 1e6 }

func rounded(ci stat.Interval) *[2]float64 { return &[2]float64{Round(ci.Lo), Round(ci.Hi)} }

// exp returns the interval of a ratio from the interval of its log.
func exp(ci stat.Interval) [2]float64 {
	return *rounded(stat.Interval{Lo: math.Exp(ci.Lo), Hi: math.Exp(ci.Hi)})
}
