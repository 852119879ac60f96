package report

import (
	"fmt"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// thresholdKiB is the published package size above which images beat ZIP.
const thresholdKiB = 5 << 10

// threshold checks whether images beat ZIP above the published size.
func (s *sequence) threshold(rep *Report, all []*measured) (f Finding, ok bool) {
	has := func(kind arm.Package) bool {
		return slices.ContainsFunc(all, func(m *measured) bool { return m.group.kind == kind && s.has(m) })
	}
	if !has(arm.ZIP) || !has(arm.Image) {
		return f, false
	}
	f = Finding{Finding: "images beat ZIP for packages above about 5 MB", Source: s.source, Outcome: NotSeen,
		By:      "packaging experiment of 2025: arm64, 60 cold starts per arm, mean Init Duration",
		Settles: "twinstart run --source aws, with at least four package sizes"}
	why := "because the arms do not sweep over package sizes"
	if s.source == record.Lab {
		why = "because the lab mounts an image as it mounts a ZIP"
	}
	for _, factors := range rep.Factors {
		for _, c := range factors.Crossovers {
			if c.Package != arm.Image || factors.Source != s.source {
				continue
			}
			switch why = c.Text; {
			case c.CI == nil:
				f.Outcome = Undecided
			case c.CI[0] <= thresholdKiB && thresholdKiB <= c.CI[1]:
				f.Outcome, f.Settles = Reproduced, ""
			default:
				f.Outcome, f.Settles = NotReproduced, ""
			}
		}
	}
	f.Text = fmt.Sprintf("%s: %s, %s", f.Finding, f.Outcome, why)
	return f, true
}

// predictedPair says what is predicted on AWS for two arms of the lab.
func predictedPair(a, b *measured) string {
	x, y := a.row.PredictedAWS, b.row.PredictedAWS
	if x == nil || y == nil {
		return ""
	}
	return fmt.Sprintf(". Predicted on AWS, not measured: %s %.1f ms [%.1f, %.1f], %s %.1f ms [%.1f, %.1f]",
		a.label, x.Init, x.Interval[0], x.Interval[1], b.label, y.Init, y.Interval[0], y.Interval[1])
}
