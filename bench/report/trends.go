package report

import (
	"fmt"
	"math"
)

// trendWarnings say where values are not as independent as intervals take them to be: a line for all arms, not one for each.
func trendWarnings(all []*measured) (out []string) {
	var alike []string
	for _, m := range all {
		for _, c := range coldClocks {
			if a, found := m.samples[c].Autocorrelation(); found {
				alike = append(alike, fmt.Sprintf("%s (%s: %d count like %.0f)", m.label, c, m.samples[c].N(), math.Max(1, a.Effective)))
				break // the other clocks hold the same cold starts
			}
		}
	}
	if len(alike) > 0 {
		out = append(out, fmt.Sprintf("cold starts next to each other are alike in %s: %s; intervals are widened to as much",
			Plural(len(alike), "arm"), list(alike)))
	}
	for _, c := range allClocks {
		var drifting []string
		for _, m := range all {
			if d, found := m.samples[c].Drift(); found {
				drifting = append(drifting, fmt.Sprintf("%s %+.0f %%", m.label, 100*(d.Ratio-1)))
			}
		}
		if len(drifting) > 0 {
			out = append(out, fmt.Sprintf("drift by %s from the first half of the run to the second in %s: %s", c, Plural(len(drifting), "arm"), list(drifting)))
		}
	}
	return out
}
