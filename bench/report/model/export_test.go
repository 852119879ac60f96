package model

import (
	"cmp"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/twinstart/twinstart/arm"
)

// Compared is a published figure with a prediction that was made without it.
type Compared struct {
	Name         string           `json:"name"`
	Arm          string           `json:"arm,omitempty"`
	Architecture arm.Architecture `json:"architecture"`
	Image        bool             `json:"image"`
	ReadKiB      float64          `json:"read_kib"`
	Published    float64          `json:"published_ms"`
	At           string           `json:"at,omitempty"`
	Source       string           `json:"source,omitempty"`
	Predicted    float64          `json:"predicted_ms"`
	Interval     *[2]float64      `json:"interval"`    // nil if too few points are left for an interval
	Fitted       bool             `json:"used_in_fit"` // it is left out for its own prediction
}

// Compare predicts every published figure of the calibration: points of the fit from the other points, checks from
// all. It sorts them in ascending order.
func (c *Calibration) Compare() (out []Compared) {
	for name, a := range c.Architectures {
		if a.Fit == nil {
			continue
		}
		for _, p := range a.Zip {
			f, err := a.Fit.left(p)
			if err != nil {
				continue
			}
			one := Compared{Name: p.Name, Arm: p.Arm, Architecture: name, ReadKiB: p.ReadKiB, Published: p.InitMs, At: p.At, Source: p.Source, Predicted: f.At(p.ReadKiB), Fitted: true}
			if f.DF > 1 {
				low, high := f.Interval(p.ReadKiB)
				one.Interval = &[2]float64{low, high}
			}
			out = append(out, one)
		}
	}
	for _, check := range c.Checks {
		p, err := c.without(check).Predict(Input{Architecture: check.Architecture, ReadAheadKiB: c.ReadAheadKiB, InitReadKiB: check.ReadKiB, UPX: check.UPX})
		if err != nil || check.Pair != "" && p.ImageInit == nil {
			continue
		}
		e := p.ZipInit
		if check.Pair != "" {
			e = *p.ImageInit
		}
		out = append(out, Compared{Name: check.Name, Arm: check.Arm, Architecture: check.Architecture, Image: check.Pair != "", ReadKiB: check.ReadKiB,
			Published: check.InitMs, At: check.At, Source: check.Source, Predicted: e.Ms, Interval: &[2]float64{e.Low, e.High}})
	}
	slices.SortStableFunc(out, func(a, b Compared) int {
		return cmp.Or(cmp.Compare(a.Architecture, b.Architecture), cmp.Compare(a.Published, b.Published), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// without returns the calibration with a line of images that was fitted without the check.
func (c *Calibration) without(check Check) *Calibration {
	own := c.Architectures[check.Architecture]
	if check.Pair == "" || own == nil || own.Image == nil {
		return c
	}
	line := *own.Image
	line.Pairs = slices.DeleteFunc(slices.Clone(line.Pairs), func(p Pair) bool { return strings.HasPrefix(p.Name, check.Pair) })
	if line.InterceptMs, line.PerZipMs = line.refit(); !(line.PerZipMs > 0) {
		return c
	}
	changed, architecture := *c, *own
	architecture.Image = &line
	changed.Architectures = map[arm.Architecture]*Architecture{check.Architecture: &architecture}
	return &changed
}

// refit fits a line through the pairs by least squares.
func (l *ImageLine) refit() (intercept, slope float64) {
	var zip, image []float64
	for _, p := range l.Pairs {
		zip, image = append(zip, p.ZipMs), append(image, p.ImageMs)
	}
	return stat.LinearRegression(zip, image, nil, false)
}
