package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/price"
)

// identity is what two records must share to be samples of one arm.
type identity struct {
	source record.Source

	region, experiment, arm string

	memory       int
	architecture arm.Architecture
	handler      string
	published    string // by whom; "" if it was measured
	restore      string // the kind of restore if SnapStart restored it; "" for INIT
	load         string // the load's name; "" if there was none
	standIn      string // what replaced Lambda's managed runtime; "" for nothing
}

// group collects the records of one arm, as the few numbers that the report needs.
type group struct {
	identity
	bootstrap string
	kind      arm.Package
	sizeBytes int64

	lever, level string // of the experiment of levers; "" for other arms

	cold         []coldSample // in the order of measuring
	warm         []warmSample
	environments map[envKey]int32 // environments of warm samples, numbered in the order in which they appear

	loaded           *loaded             // nil if it was not under load
	moments          map[Stage][]moments // of a bootstrap that times itself
	last             measuredAt
	maxMemory        *int // MB; nil if unknown
	firstAfterDeploy int
	apart            map[string]int // samples that enter no average, by reason
	errors           int
	lastError        string

	counted counts.Counts // counts of the package, from starts made for counting; every record has the same, or none
}

// coldSample holds what the report needs of a cold start. NaN means that the record did not say.
type coldSample struct {
	init, first, wait, readKiB, readFirst, readChunks, memory float64
	cpu, faults, majorFaults                                  float64

	usd    float64 // cost of the billed time
	billed float64 // ms, INIT included
	ahead  bool    // INIT was over before the caller came, and init is 0

	round, run int32 // the round, from 1, and the run's number; round 0 means unknown
	column     int32 // index into the report's rounds, or -1
}

// by returns the sample's time by a clock of cold starts.
func (c *coldSample) by(clock Clock) float64 {
	switch clock {
	case ClockInit:
		if c.ahead {
			return math.NaN() // no caller waited for it
		}
		return c.init
	case ClockFirst:
		return c.first
	case ClockTotal:
		return c.init + c.first
	}
	return c.wait
}

// warmSample holds what the report needs of a warm invocation.
type warmSample struct {
	duration, wait, usd, billed float64

	env int32 // index into the group's environments
}

// envKey identifies an environment, across files too.
type envKey struct {
	run         string
	file        int
	environment int
	stream      string
}

// add takes one record. It returns the name of a field that the record lacks and should have. file and run distinguish
// the environments and the rounds of two runs.
func (g *group) add(r *record.Record, file int, run int32, rate price.Rate, priced bool) (lacks string) {
	if r.PackageSizeBytes > 0 {
		g.sizeBytes = r.PackageSizeBytes
	}
	if r.FunctionError != "" {
		g.errors++
		g.lastError = r.FunctionError
	}
	if r.Load != nil {
		g.addLoad(r, run)
		if r.Ahead() && r.Marked == "" {
			one := *r // no caller waited for its INIT
			one.Start, one.InitDurationMs, r = record.Warm, nil, &one
		}
	}
	switch {
	case g.restore != "" && g.source == record.Lab:
		g.apart[NoRestoreHere]++
		return ""
	case r.Marked != "":
		why, detail, _ := strings.Cut(string(r.Marked), ": ")
		g.apart[why]++
		g.lastError = cmp.Or(g.lastError, detail)
		return ""
	case r.Load != nil && r.Load.ViaURL: // there is no REPORT
		return ""
	case r.FirstAfterDeploy:
		g.firstAfterDeploy++
		return ""
	case r.DurationMs == nil && (r.Published == "" || r.InitDurationMs == nil): // some publish INIT alone
		g.apart[string(record.NoReport)]++ // an importer may have left it unmarked
		return "durationMs"
	}
	if used := r.MaxMemoryUsedMB; used != nil && (g.maxMemory == nil || *used > *g.maxMemory) {
		g.maxMemory = used
	}
	g.addPhases(r)
	if r.Ahead() {
		rate.GBSecond, priced = rate.ProvisionedDuration, priced && rate.ProvisionedDuration > 0
	}
	switch {
	case r.Start == record.Cold:
		return g.addCold(r, run, rate, priced)
	case r.DurationMs != nil:
		g.addWarm(r, file, rate, priced)
	}
	return ""
}

func (g *group) addCold(r *record.Record, run int32, rate price.Rate, priced bool) (lacks string) {
	init, restored := r.StartMs()
	if r.Ahead() {
		init = new(0.0)
	}
	if init == nil {
		g.apart[string(record.ColdWithoutInit)]++
		return "initDurationMs"
	}
	if r.InitPackageReadKiB != nil || r.InitBaseReadKiB != nil {
		g.counted = r.Counts
	}
	usd, billed := math.NaN(), orNaN(r.BilledDurationMs)
	if r.DurationMs != nil && !restored {
		billed = price.BilledColdMs(orZero(r.BilledDurationMs), *init, *r.DurationMs)
	}
	if priced && r.MemorySizeMB > 0 && r.DurationMs != nil {
		switch {
		case restored && rate.SnapStartRestore > 0:
			usd = rate.Restored(r.MemorySizeMB, orZero(r.BilledDurationMs), orZero(r.BilledRestoreDurationMs))
		case !restored:
			usd = rate.Invocation(r.MemorySizeMB, billed)
		}
	}
	g.cold = append(g.cold, coldSample{
		init: *init, first: orNaN(r.DurationMs), wait: orNaN(r.ClientDurationMs), memory: orNaN(r.MaxMemoryUsedMB),
		readKiB: orNaN(r.InitReadKiB), readFirst: orNaN(r.FirstResponseReadKiB), readChunks: orNaN(r.InitReadChunks),
		cpu: orNaN(r.InitCPUMs), faults: orNaN(r.InitPageFaults), majorFaults: orNaN(r.InitMajorPageFaults),
		usd: usd, billed: billed, ahead: r.Ahead(), round: int32(r.Round), run: run, column: -1,
	})
	return ""
}

func (g *group) addWarm(r *record.Record, file int, rate price.Rate, priced bool) {
	if began, _ := r.StartMs(); began != nil {
		g.apart[string(record.WarmWithInit)]++
		return
	}
	key := envKey{r.RunID, file, r.Environment, r.LogStream}
	if r.Load != nil && r.LogStream == "" { // each repeat begins with new environments
		key.environment = -r.Round
	}
	env, met := g.environments[key]
	if !met {
		env = int32(len(g.environments))
		g.environments[key] = env
	}
	usd := math.NaN()
	if priced && r.MemorySizeMB > 0 && r.BilledDurationMs != nil {
		usd = rate.Invocation(r.MemorySizeMB, *r.BilledDurationMs)
	}
	g.warm = append(g.warm, warmSample{duration: *r.DurationMs, wait: orNaN(r.ClientDurationMs), usd: usd,
		billed: orNaN(r.BilledDurationMs), env: env})
}

// setting returns what the arms of one factorial, or of one set of levers, have in common.
func setting(g *group) identity {
	return identity{source: g.source, region: g.region, experiment: g.experiment, architecture: g.architecture,
		handler: g.handler, published: g.published}
}

// groupBy groups arms with equal keys, in order.
func groupBy(all []*measured, key func(*group) identity) (out [][]*measured) {
	for _, m := range all {
		same := func(arms []*measured) bool { return key(arms[0].group) == key(m.group) }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i] = append(out[i], m)
		} else {
			out = append(out, []*measured{m})
		}
	}
	return out
}

// NoRestoreHere is why a restore in the lab is set apart: the lab makes no snapshots.
const NoRestoreHere = "restore: not measured here"

// restored says which kind of restore a record is, or "" for an INIT. The kinds are compared separately.
func restored(r *record.Record) string {
	_, restored := r.StartMs()
	switch {
	case r.Restore != "":
		return string(r.Restore) + " restore"
	case r.Start == record.Cold && restored:
		return "restored"
	}
	return ""
}

func orZero(x *float64) float64 {
	if x == nil {
		return 0
	}
	return *x
}

func orNaN[T int | float64](x *T) float64 {
	if x == nil {
		return math.NaN()
	}
	return float64(*x)
}

// byEnvironment returns a figure of warm invocations, grouped by the environment that served them. Empty environments
// are left out.
func (g *group) byEnvironment(of func(*warmSample) float64) [][]float64 {
	out := make([][]float64, len(g.environments))
	for i := range g.warm {
		if x := of(&g.warm[i]); !math.IsNaN(x) {
			out[g.warm[i].env] = append(out[g.warm[i].env], x)
		}
	}
	return slices.DeleteFunc(out, func(e []float64) bool { return len(e) == 0 })
}

// perMillion returns the average cost in USD per million samples, or NaN if no sample has a price.
func perMillion[S any](samples []S, usd func(*S) float64) float64 {
	xs := column(samples, usd)
	return 1e6 * floats.Sum(xs) / float64(len(xs))
}

func (c *coldSample) price() float64 { return c.usd }

func (w *warmSample) price() float64 { return w.usd }

// column returns one figure of all samples that have it.
func column[S any](samples []S, of func(*S) float64) []float64 {
	out := make([]float64, 0, len(samples))
	for i := range samples {
		if x := of(&samples[i]); !math.IsNaN(x) {
			out = append(out, x)
		}
	}
	return out
}
