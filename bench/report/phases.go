package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Stage is a part of an environment's life that a bootstrap times by its own clock.
type Stage string

// The stages.
const (
	StageInit  Stage = "INIT"
	StageFirst Stage = "first event"
	StageWarm  Stage = "warm event"
)

// Stages lists them in their order.
func Stages() []Stage { return []Stage{StageInit, StageFirst, StageWarm} }

// Outside is what of Init Duration lies not between the first and the last moment that the bootstrap knows of: the kernel's exec, the
// pages that it waits for, and the way of GET /next.
const Outside = "outside"

// Phase is the time between two moments of a bootstrap, in ms.
type Phase struct {
	Stage Stage       `json:"stage"`
	Name  string      `json:"name"` // of the moment that ends it; or Outside
	Count int         `json:"count"`
	P50   float64     `json:"p50_ms"`
	CI    *[2]float64 `json:"p50_ci95_ms"`
}

// momentOrder is how moments follow each other where clocks of microseconds cannot tell: see docs/handler-contract.md.
var momentOrder = []string{"exec", "main", "workerStarted", "connected", "workerReady", "nextSent", "eventRead", "handlerDone", "responseSent"}

// moments are what the samples of a stage told, a map a sample.
type moments struct {
	at      []map[string]float64
	initial []float64 // Init Duration of the same samples; nil for events
}

// addPhases keeps what a bootstrap said of itself.
func (g *group) addPhases(r *record.Record) {
	add := func(s Stage, at map[string]float64, initial ...float64) {
		if g.phases == nil {
			g.phases = map[Stage]moments{}
		}
		m := g.phases[s]
		g.phases[s] = moments{append(m.at, at), append(m.initial, initial...)}
	}
	if len(r.InitPhasesMs) > 0 && r.InitDurationMs != nil {
		add(StageInit, r.InitPhasesMs, *r.InitDurationMs)
	}
	if len(r.EventPhasesMs) > 0 {
		stage := StageWarm
		if r.Start == record.Cold {
			stage = StageFirst
		}
		add(stage, r.EventPhasesMs)
	}
}

// phases are the parts of each stage in their order.
func (g *group) phaseRows() (out []Phase) {
	for _, s := range Stages() {
		out = append(out, g.phases[s].rows(s)...)
	}
	return out
}

func (m moments) rows(s Stage) (out []Phase) {
	names := m.names()
	took := map[string][]float64{}
	for i, at := range m.at {
		before := 0.0
		for _, name := range names {
			if x, ok := at[name]; ok {
				took[name] = append(took[name], math.Max(0, x-before))
				before = math.Max(before, x)
			}
		}
		if m.initial != nil {
			took[Outside] = append(took[Outside], math.Max(0, m.initial[i]-before))
		}
	}
	if m.initial != nil {
		names = append([]string{Outside}, names...)
	}
	for _, name := range names {
		d := distribution(stat.NewSample(took[name]))
		out = append(out, Phase{Stage: s, Name: name, Count: d.Count, P50: *d.P50, CI: d.P50CI})
	}
	return out
}

// names are the moments by when they usually come.
func (m moments) names() []string {
	all := map[string][]float64{}
	for _, at := range m.at {
		for name, x := range at {
			all[name] = append(all[name], x)
		}
	}
	centers := map[string]float64{}
	for name, xs := range all {
		centers[name] = *median(xs)
	}
	rank := func(name string) int {
		if i := slices.Index(momentOrder, name); i >= 0 {
			return i
		}
		return len(momentOrder)
	}
	return slices.SortedFunc(maps.Keys(centers), func(a, b string) int {
		return cmp.Or(cmp.Compare(centers[a], centers[b]), cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
}

// HasPhases says whether any arm told its phases.
func (r *Report) HasPhases() bool {
	return slices.ContainsFunc(r.Arms, func(a *Arm) bool { return len(a.Phases) > 0 })
}

// phaseWarnings say what timing itself costs, and who did not do it.
func (b *builder) phaseWarnings(rep *Report) (out []string) {
	asked := false
	for _, run := range b.runs {
		on, _ := run.Options["phases"].(bool)
		asked = asked || on
	}
	if asked {
		out = append(out, "measured with --phases: bootstraps that time themselves write a line of log per INIT and event, which is part of their figures")
	}
	told := 0
	for _, a := range rep.Arms {
		if len(a.Phases) > 0 {
			told++
		}
	}
	if without := len(rep.Arms) - told; (asked || told > 0) && without > 0 {
		out = append(out, fmt.Sprintf("phases: %s of %d told none: their bootstraps do not time themselves, or the log's tail did not reach back to it", Plural(without, "arm"), len(rep.Arms)))
	}
	return out
}
