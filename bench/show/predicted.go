package show

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// predictedTable is what was counted of the lab's arms, what AWS should take for them, and what others measured there.
func predictedTable(r *report.Report) table.Table {
	g := table.Table{ID: "predicted", Title: "INIT predicted on AWS, from what the lab counted (a prediction, not a measurement), ms",
		Heads: table.Heads(1, "arm", "KiB read", "of the base", "CPU ms", "page faults", "predicted [95 %]", "published")}
	for i := range r.Arms {
		a := &r.Arms[i]
		p := a.PredictedAWS
		if p == nil {
			continue
		}
		published := none
		if p.Published != nil {
			published = fmt.Sprintf("%.1f %s", p.Published.InitMs, p.Published.At)
			if p.Published.Architecture != a.Architecture {
				published += " (" + string(p.Published.Architecture) + ")"
			}
		}
		faults := opt("%.0f", a.InitPageFaults)
		if a.InitPageFaults != nil && a.InitMajorPageFaults != nil {
			faults += fmt.Sprintf(" (%.0f major)", *a.InitMajorPageFaults)
		}
		g.Add(a.Arm, opt("%.0f", a.InitReadKiB), opt("%.0f", a.InitBaseReadKiB), ms(a.InitWarmCPUMs), faults, predicted(a), published)
	}
	g.Note = "KiB read: of the package, before GET /next, cold. Of the base: of the base image's own files (C library included). CPU ms: of the process tree to GET /next with every page in memory. " +
		"All counted at starts of their own, KiB as Linux 5.10 to 6.16 reads; where they were not, the median of measured starts. ~: leans on more than the calibration holds; +: base and CPU were not counted. Published: of the same bootstrap and package on AWS, by others. " +
		"docs/model.md says what a prediction is worth."
	return g
}
