package show

import (
	"cmp"
	"math"
	"strings"

	"gonum.org/v1/gonum/floats"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

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

// makePictureArm returns an arm's data. dots and points bound its dots, and the points of each of its curves.
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
	for _, c := range pictureClocks {
		if s := makeSpread(a, c.Name, points); s.Count > 0 {
			p.Spread[c.ID] = s
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
