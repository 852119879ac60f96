package report

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/price"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/runtime/arm"
)

// identity is what makes two records samples of one arm.
type identity struct {
	source       record.Source
	region       string
	experiment   string
	arm          string
	memory       int
	architecture arm.Architecture
	handler      string
}

// group gathers the records of one arm: the few numbers of each that the report needs.
type group struct {
	identity
	bootstrap string
	kind      arm.Package
	sizeBytes int64

	init, total, wait  []float64 // cold starts, in order of measuring
	warm, warmWait     []float64
	round              []float64 // warm wait - warm Duration
	readKiB, readFirst []float64
	readChunks         []float64
	environments       map[string][]float64 // warm Durations

	billedCold, billedWarm sum
	maxMemory              int
	firstAfterDeploy       int
	apart                  map[string]int
	errors                 int
	lastError              string
}

type sum struct {
	n   int
	usd float64
}

func newGroup(id identity, r *record.Record) *group {
	return &group{identity: id, bootstrap: r.Bootstrap, kind: r.Package, environments: map[string][]float64{}, apart: map[string]int{}}
}

// add takes one record. file tells the environments of two runs apart.
func (g *group) add(r *record.Record, file int, rate price.Rate, priced bool) {
	if r.PackageSizeBytes > 0 {
		g.sizeBytes = r.PackageSizeBytes
	}
	if r.FunctionError != "" {
		g.errors++
		g.lastError = r.FunctionError
	}
	switch {
	case r.Marked != "":
		g.apart[kind(r.Marked)]++
		return
	case r.FirstAfterDeploy:
		g.firstAfterDeploy++
		return
	case r.DurationMs == nil:
		g.apart[string(record.NoReport)]++ // an importer may not have marked it
		return
	}
	if r.MaxMemoryUsedMB != nil {
		g.maxMemory = max(g.maxMemory, *r.MaxMemoryUsedMB)
	}
	if r.Start == record.Cold {
		g.addCold(r, rate, priced)
	} else {
		g.addWarm(r, file, rate, priced)
	}
}

func (g *group) addCold(r *record.Record, rate price.Rate, priced bool) {
	total, ok := r.ColdTotalMs()
	if !ok {
		g.apart[string(record.ColdWithoutInit)]++
		return
	}
	init := total - *r.DurationMs
	g.init = append(g.init, init)
	g.total = append(g.total, total)
	g.wait = appendIf(g.wait, r.ClientDurationMs)
	g.readKiB = appendIf(g.readKiB, r.InitReadKiB)
	g.readFirst = appendIf(g.readFirst, r.FirstResponseReadKiB)
	if r.InitReadChunks != nil {
		g.readChunks = append(g.readChunks, float64(*r.InitReadChunks))
	}
	if priced && r.MemorySizeMB > 0 {
		billed := 0.0
		if r.BilledDurationMs != nil {
			billed = *r.BilledDurationMs
		}
		g.billedCold.n++
		g.billedCold.usd += rate.Invocation(r.MemorySizeMB, price.BilledColdMs(billed, init, *r.DurationMs))
	}
}

func (g *group) addWarm(r *record.Record, file int, rate price.Rate, priced bool) {
	if r.InitDurationMs != nil || r.RestoreDurationMs != nil {
		g.apart[string(record.WarmWithInit)]++
		return
	}
	g.warm = append(g.warm, *r.DurationMs)
	if r.ClientDurationMs != nil {
		g.warmWait = append(g.warmWait, *r.ClientDurationMs)
		g.round = append(g.round, *r.ClientDurationMs-*r.DurationMs)
	}
	env := fmt.Sprint(r.RunID, " ", file, " ", r.Environment, " ", r.LogStream)
	g.environments[env] = append(g.environments[env], *r.DurationMs)
	if priced && r.MemorySizeMB > 0 && r.BilledDurationMs != nil {
		g.billedWarm.n++
		g.billedWarm.usd += rate.Invocation(r.MemorySizeMB, *r.BilledDurationMs)
	}
}

// kind is a mark without its detail, so that marks can be counted.
func kind(m record.Mark) string {
	for _, k := range []record.Mark{record.NoReport, record.ColdWithoutInit, record.WarmWithInit, record.AfterCrash, record.FunctionFailed,
		record.Throttled, record.NoAnswer, record.Priming, record.BadReport} {
		if m.Is(k) {
			return string(k)
		}
	}
	return string(m)
}

func appendIf(xs []float64, x *float64) []float64 {
	if x == nil {
		return xs
	}
	return append(xs, *x)
}
