package model

import (
	"cmp"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/twinstart/twinstart/arm"
)

// Check is a published figure that no line was fitted to.
type Check struct {
	Name         string           `json:"name"`
	Arm          string           `json:"arm,omitempty"` // of the assembly that is the same package; "" is none
	Architecture arm.Architecture `json:"architecture"`
	// Pair says that the figure is an image's: the line of images is fitted again without the pairs whose names begin so.
	Pair    string  `json:"pair,omitempty"`
	ReadKiB float64 `json:"readKiB"`
	UPX     *UPX    `json:"upx,omitempty"`
	InitMs  float64 `json:"initMs"`
	At      string  `json:"at"` // p50 or mean
	Source  string  `json:"source"`
}

// Compared is a published figure beside the prediction of it, made without it.
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
	Interval     *[2]float64      `json:"interval"`    // nil where what is left of the fit has too few points for one
	Fitted       bool             `json:"used_in_fit"` // and left out of it for its own prediction
}

// Compare predicts every published figure that the calibration holds: points of the fit by the others, checks by all. Ascending.
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

// without is the calibration with a line of images that knows nothing of the check.
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

// refit is the line of least squares through the pairs.
func (l *ImageLine) refit() (intercept, slope float64) {
	var zip, image []float64
	for _, p := range l.Pairs {
		zip, image = append(zip, p.ZipMs), append(image, p.ImageMs)
	}
	return stat.LinearRegression(zip, image, nil, false)
}

// Published is what somebody published of an arm's Init Duration on AWS.
type Published struct {
	InitMs       float64          `json:"init_ms"`
	At           string           `json:"at"` // p50 or mean
	Architecture arm.Architecture `json:"architecture"`
	Source       string           `json:"source"`
}

// Published looks for an arm among what the calibration holds: of its own architecture, else of the other; a median before a mean.
func (c *Calibration) Published(id string, architecture arm.Architecture) *Published {
	var found *Published
	better := func(p Published) {
		own, other := p.Architecture == architecture, found != nil && found.Architecture == architecture
		if found == nil || own && !other || own == other && p.At == "p50" && found.At != "p50" {
			found = &p
		}
	}
	for _, x := range c.Compare() {
		if x.Arm == id {
			better(Published{x.Published, x.At, x.Architecture, x.Source})
		}
	}
	if a := c.Architectures[arm.ARM64]; a != nil && a.Image != nil {
		for _, p := range a.Image.Elsewhere {
			if p.Arm == id {
				better(Published{p.ImageMs, p.At, arm.ARM64, p.Source})
			}
		}
	}
	return found
}
