package report

import (
	"cmp"
	"fmt"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/model"
)

// Predicted is the Init Duration that is predicted on AWS for an arm of the lab, from the KiB that it read and the
// CPU that it used. It is not a measurement.
type Predicted struct {
	Init         float64    `json:"init_ms"`
	Interval     [2]float64 `json:"init_ms_interval"`
	Confidence   float64    `json:"confidence"`
	Calibration  string     `json:"calibration"`
	Extrapolated string     `json:"extrapolated,omitempty"`
	Borrowed     string     `json:"borrowed,omitempty"` // the architecture whose line was used
	// PackageOnly means that the base's files and the CPU were not counted and are not in the prediction.
	PackageOnly bool             `json:"package_only,omitempty"`
	Published   *model.Published `json:"published"` // what others measured on AWS; null if nothing

	ZIP    float64     `json:"zip_init_ms"`      // the same code as a ZIP
	Image  *float64    `json:"image_init_ms"`    // and as an image
	Faster arm.Package `json:"faster,omitempty"` // the faster of the two; "" if they cannot be told apart
}

// Estimate returns the prediction with its interval.
func (p *Predicted) Estimate() model.Estimate {
	return model.Estimate{Ms: p.Init, Low: p.Interval[0], High: p.Interval[1]}
}

// predicted returns nil if nothing can be predicted: for arms of AWS and for arms without KiB. If CPU and base were not
// counted, it also returns nil for arms that took longer in the lab than their pages explain.
func predicted(a *Arm, c *model.Calibration) *Predicted {
	if a.Source != record.Lab || a.InitReadKiB == nil || a.Published != "" || a.P50 == nil {
		return nil
	}
	in := model.Input{Managed: cmp.Or(a.StandIn, a.ManagedRuntime), Architecture: a.Architecture,
		MemorySizeMB: a.MemorySizeMB, ReadAheadKiB: c.ReadAheadKiB, InitReadKiB: *a.InitReadKiB, InitCPUMs: a.InitWarmCPUMs}
	counted := a.InitBaseReadKiB != nil && a.InitLibcReadKiB != nil && a.InitWarmCPUMs != nil
	if counted {
		in.BaseReadKiB, in.LibcReadKiB = *a.InitBaseReadKiB-*a.InitLibcReadKiB, *a.InitLibcReadKiB
	} else { // not counted as root, so the read-ahead was the disk's
		in.BaseUnknown, in.ReadAheadKiB = true, 0
	}
	p, err := c.Predict(in)
	if err != nil || !counted && *a.P50 > p.ZipInit.High {
		return nil
	}
	e := &p.ZipInit
	if a.Package != arm.ZIP {
		e = p.ImageInit
	}
	if e == nil {
		return nil
	}
	out := &Predicted{Init: Round(e.Ms), Interval: [2]float64{Round(e.Low), Round(e.High)}, Confidence: p.Confidence,
		Calibration: p.Calibration, Extrapolated: p.Extrapolated, Borrowed: p.Borrowed, PackageOnly: !counted,
		Published: c.Published(a.ID, a.Architecture), ZIP: Round(p.ZipInit.Ms), Faster: arm.Package(p.Winner)}
	if p.ImageInit != nil {
		out.Image = number(p.ImageInit.Ms)
	}
	return out
}

func (r *Report) predict() {
	c := model.Default()
	for _, run := range r.Runs {
		if kib, counted := run.Options["readAheadKiB"]; counted && fmt.Sprint(kib) != fmt.Sprint(c.ReadAheadKiB) {
			return // its KiB were counted with a read-ahead other than the calibration's
		}
	}
	for _, a := range r.Arms {
		a.PredictedAWS = predicted(a, c)
	}
}
