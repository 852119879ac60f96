package show

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/model"
)

// predictedGrid is what was counted of the lab's arms, what AWS should take for them, and what others measured there.
func predictedGrid(r *report.Report) grid {
	g := grid{title: "INIT predicted on AWS, from what the lab counted (a prediction, not a measurement), ms", left: 1,
		heads: []string{"arm", "KiB read", "of the base", "CPU ms", "page faults", "predicted [95 %]", "published"}}
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
		faults := whole(a.InitPageFaults)
		if a.InitPageFaults != nil && a.InitMajorPageFaults != nil {
			faults += fmt.Sprintf(" (%.0f major)", *a.InitMajorPageFaults)
		}
		g.rows = append(g.rows, []string{a.Arm, whole(a.InitReadKiB), whole(a.InitBaseReadKiB), ms(a.InitWarmCPUMs), faults, predicted(a), published})
	}
	g.note = "KiB read: of the package, before GET /next, cold. Of the base: of the base image's own files (C library included). CPU ms: of the process tree to GET /next with every page in memory. " +
		"All counted at starts of their own, KiB as Linux 5.10 to 6.16 reads; where they were not, the median of measured starts. ~: leans on more than the calibration holds; +: base and CPU were not counted. Published: of the same bootstrap and package on AWS, by others. " +
		"docs/model.md says what a prediction is worth."
	return g
}

// checksGrid is how well the calibration predicts published figures that it was not made from.
func checksGrid(r *report.Report) grid {
	g := grid{title: "Published figures of AWS beside predictions of them, INIT, ms", left: 3,
		heads: []string{"published", "as", "of", "KiB read", "published ms", "predicted [95 %]", "off"},
		note:  "fit: the calibration rests on this figure, which is left out for its own prediction. check: nothing was fitted to it."}
	for _, c := range r.Checks {
		of := "check"
		if c.Fitted {
			of = "fit"
		}
		at := fmt.Sprintf("%.1f", c.Predicted)
		if c.Interval != nil {
			at += fmt.Sprintf(" [%.1f, %.1f]", c.Interval[0], c.Interval[1])
		}
		g.rows = append(g.rows, []string{c.Name + " (" + string(c.Architecture) + ")", form(c), of, fmt.Sprintf("%.0f", c.ReadKiB), fmt.Sprintf("%.1f %s", c.Published, c.At), at,
			fmt.Sprintf("%+.0f %%", 100*(c.Predicted/c.Published-1))})
	}
	return g
}

func form(c model.Compared) string {
	if c.Image {
		return "image"
	}
	return "ZIP"
}

// predictedFigure draws published against predicted.
func predictedFigure(r *report.Report) figure {
	f := figure{ID: "predicted", Title: "Published against predicted", Text: lines(
		"INIT on AWS: what others published, against what the model predicts from KiB read and CPU, each predicted without itself. On the line they are equal; whiskers are 95 % intervals. None of these figures is of this run.")}
	if len(r.Checks) == 0 {
		f.Text, f.Absent = nil, "Nothing is predicted: predictions are made from the KiB that the lab counts, with a read-ahead of 128 KiB."
		return f
	}
	f.Tables = []table{gridTable("predicted-arms", predictedGrid(r)), gridTable("predicted-checks", checksGrid(r))}
	return f
}
