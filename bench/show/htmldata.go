package show

import (
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report"
)

// A page of 100,000 records must open at once. So its pictures have budgets: so many points in all, and so many of each
// arm at least and at most. Points are a random choice. Percentiles, bars and tables use every record.
const (
	dotBudget          = 4000
	minDots, maxDots   = 40, 160
	curveBudget        = 6000
	minCurve, maxCurve = 60, 200
	fifths             = 5      // parts of a run in the table of its course
	fractionOfAMs      = 10_000 // resolution of pictures, fine enough that medians round as in tables
)

// pictures is the data that the page's scripts draw. Times are in ms, sizes in KiB, money in USD per million
// invocations.
type pictures struct {
	Arms        []pictureArm       `json:"arms"`
	NotMeasured []arm.NotMeasured  `json:"notMeasured"`
	Clocks      []pictureClock     `json:"clocks"`    // clocks of cold starts that have samples
	Baselines   []report.Baseline  `json:"baselines"` // published figures of AWS
	BreakEven   []report.BreakEven `json:"breakEven"`
	Sampled     int                `json:"sampled"` // how many cold starts of an arm are points at most; 0 means all
}

type pictureClock struct {
	ID    string       `json:"id"`
	Name  report.Clock `json:"name"`
	Means string       `json:"means"`
}

func pictureData(r *report.Report) pictures {
	p := pictures{
		Arms: []pictureArm{}, NotMeasured: append([]arm.NotMeasured{}, r.NotMeasured...),
		Baselines: append([]report.Baseline{}, r.Baselines...), BreakEven: []report.BreakEven{},
	}
	if r.Cost != nil && r.Cost.BreakEven != nil {
		p.BreakEven = r.Cost.BreakEven
	}
	dots := share(dotBudget, len(r.Arms), minDots, maxDots)
	for _, measured := range r.Arms {
		a := makePictureArm(measured, dots, share(curveBudget, len(r.Arms), minCurve, maxCurve))
		a.Load = measured.Course(share(dotBudget, len(r.Arms), minDots, dotBudget))
		if a.InitCount > dots {
			p.Sampled = dots
		}
		p.Arms = append(p.Arms, a)
	}
	p.Clocks = slices.DeleteFunc(slices.Clone(pictureClocks), func(c pictureClock) bool {
		return !slices.ContainsFunc(p.Arms, func(a pictureArm) bool { return a.Spread[c.ID] != nil })
	})
	return p
}

// share returns each arm's part of a budget.
func share(budget, arms, least, most int) int {
	return min(max(budget/max(arms, 1), least), most)
}

var pictureClocks = []pictureClock{
	{"init", report.ClockInit, report.ClockInit.Means()},
	{"total", report.ClockTotal, report.ClockTotal.Means()},
	{"wait", report.ClockWait, report.ClockWait.Means()},
}
