package report

import (
	"slices"

	"github.com/twinstart/twinstart/bench/report/stat"
)

// The guides' way to a warm Duration: so many warm-ups, then so many measured calls, of one environment.
const (
	guidesWarmUps  = 5
	guidesMeasured = 100
)

// Guided is what that way would have said, in ms, beside what all calls of all environments say. It tells nothing of other environments.
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
	var medians []float64
	for _, e := range m.environments {
		if len(e) >= guidesWarmUps+guidesMeasured && m.group.loaded == nil {
			medians = append(medians, round(stat.NewSample(e[guidesWarmUps:][:guidesMeasured]).Quantile(0.5)))
		}
	}
	if len(medians) == 0 {
		return nil
	}
	return &Guided{Median: medians[0], Least: slices.Min(medians), Most: slices.Max(medians), Environments: len(medians),
		Ours: m.row.Warm.P50, CI: m.row.Warm.P50CI}
}
