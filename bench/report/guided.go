package report

import (
	"slices"

	"github.com/twinstart/twinstart/arm/list"
)

// The guides' way to a warm Duration: so many warm-ups, then so many measured calls, of one environment.
const (
	guidesWarmUps  = 5
	guidesMeasured = 100
)

// Guided is what that way would have said, in ms, beside what all calls of all environments say. It tells nothing of
// other environments.
type Guided struct {
	Median       float64     `json:"median_ms"` // of the first environment that served enough calls
	Least        float64     `json:"least_ms"`  // of each environment that did
	Most         float64     `json:"most_ms"`
	Environments int         `json:"environments"`
	Ours         *float64    `json:"ours_p50_ms"`
	CI           *[2]float64 `json:"ours_ci95"` // environments resampled
}

// guided returns nil if no environment has served as many calls.
func guided(m *measured) *Guided {
	medians := list.Map(slices.DeleteFunc(slices.Clone(m.environments),
		func(e []float64) bool { return len(e) < guidesWarmUps+guidesMeasured }),
		func(e []float64) float64 { return round(middle(e[guidesWarmUps:][:guidesMeasured])) })
	if len(medians) == 0 || m.group.loaded != nil {
		return nil
	}
	return &Guided{Median: medians[0], Least: slices.Min(medians), Most: slices.Max(medians), Environments: len(medians),
		Ours: m.row.Warm.P50, CI: m.row.Warm.P50CI}
}
