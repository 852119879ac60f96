package report

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
)

// Stage is a part of an environment's life that a bootstrap times itself.
type Stage string

// The stages.
const (
	StageInit  Stage = "INIT"
	StageFirst Stage = "first event"
	StageWarm  Stage = "warm event"
)

// Stages lists the stages in order.
func Stages() []Stage { return []Stage{StageInit, StageFirst, StageWarm} }

// Outside is the part of Init Duration that the bootstrap does not see: the kernel's exec, waiting for pages, and the
// network time of GET /next.
const Outside = "outside"

// Phase is the time between two moments of a bootstrap, in ms.
type Phase struct {
	Stage Stage   `json:"stage"`
	Name  string  `json:"name"` // the moment that ends it, or Outside
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
}

// momentOrder orders moments with equal times. See docs/handler-contract.md.
var momentOrder = []string{"exec", "main", "workerStarted", "connected", "workerReady", "nextSent", "eventRead", "handlerDone", "responseSent"}

// moments holds the moments of a stage, a map for each sample.
type moments struct {
	at      []map[string]float64
	initial []float64 // Init Duration of the same samples; nil for events
}

// addPhases keeps the moments of a record.
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

// phaseRows returns the phases of each stage, in order.
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
		out = append(out, Phase{Stage: s, Name: name, Count: len(took[name]), P50: *median(took[name])})
	}
	return out
}

// names returns the moments in the order of their median times.
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
	return slices.SortedFunc(maps.Keys(centers), func(a, b string) int {
		return cmp.Or(cmp.Compare(centers[a], centers[b]),
			cmp.Compare(slices.Index(momentOrder, a), slices.Index(momentOrder, b)), cmp.Compare(a, b))
	})
}

// HasPhases reports whether any arm has phases.
func (r *Report) HasPhases() bool {
	return slices.ContainsFunc(r.Arms, func(a *Arm) bool { return len(a.Phases) > 0 })
}

// phaseWarnings says what the timing costs.
func (b *builder) phaseWarnings() []string {
	if !slices.ContainsFunc(b.runs, func(r *runfile.Run) bool { return r.Options["phases"] == true }) {
		return nil
	}
	return []string{"measured with --phases: bootstraps that time themselves write a line of log per INIT and event, which is part of their figures"}
}
