package show

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// A page of 100,000 records must open at once, so its pictures show a random choice of them: this many points in all,
// within these bounds for each arm. Percentiles, boxes and tables use every record.
const (
	dotBudget          = 4000
	minDots, maxDots   = 40, 160
	curveBudget        = 6000
	minCurve, maxCurve = 60, 200
	tailOfCurve        = 0.95   // from here the axis of the distribution is logarithmic
	fifths             = 5      // parts of a run in the table beside its course
	fractionOfAMs      = 10_000 // resolution of pictures, so that medians round as in tables
)

// pictures is the data that the page's scripts draw. Times are in ms, sizes in KiB, money in USD per million
// invocations.
type pictures struct {
	Arms        []pictureArm       `json:"arms"`
	NotMeasured []arm.NotMeasured  `json:"notMeasured"`
	Clocks      []pictureClock     `json:"clocks"`    // clocks of cold starts that have samples
	Baselines   []report.Baseline  `json:"baselines"` // published figures of AWS
	BreakEven   []report.BreakEven `json:"breakEven"`
	Sampled     int                `json:"sampled"` // at most so many cold starts of an arm are drawn as points; 0 if all
}

// pictureClock is a clock of cold starts.
type pictureClock struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Means string `json:"means"`
}

func pictureData(r *report.Report) pictures {
	p := pictures{
		Arms: []pictureArm{}, NotMeasured: append([]arm.NotMeasured{}, r.NotMeasured...), Clocks: []pictureClock{},
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
	for _, c := range clockIDs {
		if slices.ContainsFunc(p.Arms, func(a pictureArm) bool { return a.Spread[c.id] != nil }) {
			p.Clocks = append(p.Clocks, pictureClock{c.id, string(c.clock), c.clock.Means()})
		}
	}
	return p
}

// share returns each arm's part of a budget.
func share(budget, arms, least, most int) int {
	return min(max(budget/max(arms, 1), least), most)
}

// pictureArm is one arm, with what only pictures need.
type pictureArm struct {
	*report.Arm
	Bootstrap string                    `json:"bootstrap"`
	Variant   string                    `json:"variant"`        // the rest of its name: "zip@512"
	SizeKiB   *float64                  `json:"size_kib"`       // of the package
	First     *float64                  `json:"first"`          // median of first Durations
	Spread    map[string]*pictureSpread `json:"spread"`         // by clock
	Dots      []report.ColdSample       `json:"dots"`           // cold starts, in order of measuring
	Load      []report.LoadPoint        `json:"load,omitempty"` // requests, in order of their times
}

// pictureSpread is a distribution with its tenth percentile and its empirical curve.
type pictureSpread struct {
	report.Distribution
	P10 *float64  `json:"p10_ms"`
	X   []float64 `json:"x"`           // ascending
	R   []int     `json:"r,omitempty"` // ranks of X from 1, if X holds a choice of the values
}

var clockIDs = []struct {
	id    string
	clock report.Clock
}{{"init", report.ClockInit}, {"total", report.ClockTotal}, {"wait", report.ClockWait}}

// makePictureArm draws so many dots at most, and so many points of each curve.
func makePictureArm(a *report.Arm, dots, points int) pictureArm {
	bootstrap := cmp.Or(a.Bootstrap, a.ID)
	p := pictureArm{Arm: a, Bootstrap: bootstrap, Variant: strings.TrimPrefix(a.Arm, bootstrap+"/"),
		Spread: map[string]*pictureSpread{}, Dots: a.ColdSamples(dots)}
	if a.PackageSizeBytes > 0 {
		p.SizeKiB = new(fine(float64(a.PackageSizeBytes) / 1024))
	}
	init, total := a.Sample(report.ClockInit).InOrder(), a.Sample(report.ClockTotal).InOrder()
	if len(init) > 0 && len(init) == len(total) {
		first := floats.SubTo(make([]float64, len(init)), total, init)
		p.First = new(fine(stat.NewSample(first).Quantile(0.5)))
	}
	for _, c := range clockIDs {
		if s := makeSpread(a, c.clock, points); s.Count > 0 {
			p.Spread[c.id] = s
		}
	}
	return p
}

// distributionOf returns an arm's distribution by a clock of cold starts.
func distributionOf(a *report.Arm, c report.Clock) report.Distribution {
	switch c {
	case report.ClockInit:
		return report.Distribution{Count: a.InitCount, Average: a.InitAverage, StdDev: a.InitStdDev, Spread: a.Spread}
	case report.ClockTotal:
		return a.ColdTotal
	}
	return a.CallerWait
}

func makeSpread(a *report.Arm, c report.Clock, points int) *pictureSpread {
	s := &pictureSpread{Distribution: distributionOf(a, c), P10: tenth(a, c), X: []float64{}}
	curve := a.Curve(c, points)
	for _, p := range curve {
		s.X = append(s.X, fine(p.X))
		if len(curve) < s.Count {
			s.R = append(s.R, int(math.Round(p.P*float64(s.Count))))
		}
	}
	return s
}

// tenth returns p10, the lower end of the range in pictures.
func tenth(a *report.Arm, c report.Clock) *float64 {
	if s := a.Sample(c); s.N() > 0 {
		return new(fine(s.Quantile(0.1)))
	}
	return nil
}

func fine(x float64) float64 { return math.Round(x*fractionOfAMs) / fractionOfAMs }
