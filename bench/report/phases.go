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
var momentOrder = []string{"exec", "main", "workerStarted", "connected", "workerReady", "nextSent",
	"eventRead", "handlerDone", "responseSent"}

// moments holds the moments of one INIT or event, in ms.
type moments struct {
	at    map[string]float64
	whole *float64 // Init Duration; nil for events
}

// addPhases keeps the moments that a record holds.
func (g *group) addPhases(r *record.Record) {
	if len(r.InitPhasesMs) > 0 && r.InitDurationMs != nil {
		g.moments[StageInit] = append(g.moments[StageInit], moments{r.InitPhasesMs, r.InitDurationMs})
	}
	stage := StageWarm
	if r.Start == record.Cold {
		stage = StageFirst
	}
	if len(r.EventPhasesMs) > 0 {
		g.moments[stage] = append(g.moments[stage], moments{at: r.EventPhasesMs})
	}
}

// phases returns the phases of a stage in order. All samples of a stage are INITs, or all are events.
func phases(s Stage, all []moments) (out []Phase) {
	names := momentNames(all)
	took := map[string][]float64{}
	for _, m := range all {
		before := 0.0
		for _, name := range names {
			if x, ok := m.at[name]; ok {
				took[name] = append(took[name], math.Max(0, x-before))
				before = math.Max(before, x)
			}
		}
		if m.whole != nil {
			took[Outside] = append(took[Outside], math.Max(0, *m.whole-before))
		}
	}
	if took[Outside] != nil {
		names = append([]string{Outside}, names...)
	}
	for _, name := range names {
		out = append(out, Phase{Stage: s, Name: name, Count: len(took[name]), P50: *median(took[name])})
	}
	return out
}

// momentNames returns the names of moments in the order of their median times.
func momentNames(all []moments) []string {
	times := map[string][]float64{}
	for _, m := range all {
		for name, x := range m.at {
			times[name] = append(times[name], x)
		}
	}
	centers := map[string]float64{}
	for name, xs := range times {
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
	return []string{"measured with --phases: bootstraps that time themselves write a log line for each INIT and event, " +
		"and that time is part of their figures"}
}
