package show

import (
	"fmt"
	"slices"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// predictedTable is what was counted of the lab's arms, what AWS should take for them, and what others measured there.
func predictedTable(r *report.Report) table.Table {
	part := *r
	part.Arms = slices.DeleteFunc(slices.Clone(r.Arms), func(a report.Arm) bool { return a.PredictedAWS == nil })
	g := armTable("predicted", "INIT predicted on AWS, from what the lab counted (a prediction, not a measurement), ms", &part, []column{
		armColumn,
		{"KiB read", func(a *report.Arm) string { return opt("%.0f", a.InitReadKiB) }},
		{"of the base", func(a *report.Arm) string { return opt("%.0f", a.InitBaseReadKiB) }},
		{"CPU ms", func(a *report.Arm) string { return ms(a.InitWarmCPUMs) }},
		{"page faults", func(a *report.Arm) string { return opt("%.0f", a.InitPageFaults) }},
		{"major", func(a *report.Arm) string { return opt("%.0f", a.InitMajorPageFaults) }},
		{"predicted [95 %]", predicted},
		{"published", func(a *report.Arm) string {
			p := a.PredictedAWS.Published
			switch {
			case p == nil:
				return none
			case p.Architecture != a.Architecture:
				return fmt.Sprintf("%.1f %s (%s)", p.InitMs, p.At, p.Architecture)
			}
			return fmt.Sprintf("%.1f %s", p.InitMs, p.At)
		}},
	})
	for i := range g.Rows {
		g.Rows[i].Arm = "" // these are not numbered as the report's are
	}
	g.Note = "KiB read: of the package, before GET /next, cold. Of the base: of the base image's own files (C library included). CPU ms: of the process tree to GET /next with every page in memory. " +
		"All counted at starts of their own, KiB as Linux 5.10 to 6.16 reads; where they were not, the median of measured starts. ~: leans on more than the calibration holds; +: base and CPU were not counted. Published: of the same bootstrap and package on AWS, by others. " +
		"docs/model.md says what a prediction is worth."
	return g
}
