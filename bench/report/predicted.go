package report

import (
	"fmt"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/model"
)

// Predicted is what AWS should take for an arm of the lab: Init Duration, from what was read and the CPU that was used. It is a
// prediction, not a measurement.
type Predicted struct {
	Init         float64    `json:"init_ms"`
	Interval     [2]float64 `json:"init_ms_interval"`
	Confidence   float64    `json:"confidence"`
	Calibration  string     `json:"calibration"`
	Extrapolated string     `json:"extrapolated,omitempty"`
	Borrowed     string     `json:"borrowed,omitempty"` // architecture whose line it is
	// PackageOnly: the base's own files and CPU were not counted, so nothing of them is in it.
	PackageOnly bool             `json:"package_only,omitempty"`
	Published   *model.Published `json:"published"` // what others measured on AWS; null is nothing

	ZIP      float64     `json:"zip_init_ms"`                  // of the same code as a ZIP,
	Image    *float64    `json:"image_init_ms"`                // and as an image
	Faster   arm.Package `json:"faster,omitempty"`             // of the two; "" cannot be told
	CrossMs  *float64    `json:"crossover_init_ms,omitempty"`  // at which both take as long
	CrossKiB *float64    `json:"crossover_read_kib,omitempty"` // likewise
}

// Estimate is the prediction itself.
func (p *Predicted) Estimate() model.Estimate {
	return model.Estimate{Ms: p.Init, Low: p.Interval[0], High: p.Interval[1]}
}

// predicted is nil where nothing can be said: for arms of AWS, without KiB, and, where CPU and the base were not counted, where the lab
// itself took longer than what the package's pages explain.
func predicted(a *Arm, c *model.Calibration) *Predicted {
	if a.Source != record.Lab || a.InitReadKiB == nil || a.Published != "" || a.P50 == nil {
		return nil
	}
	in := model.Input{Managed: a.ManagedRuntime, Architecture: a.Architecture, MemorySizeMB: a.MemorySizeMB, ReadAheadKiB: c.ReadAheadKiB, InitReadKiB: *a.InitReadKiB, InitCPUMs: a.InitWarmCPUMs}
	counted := a.InitBaseReadKiB != nil && a.InitLibcReadKiB != nil && a.InitWarmCPUMs != nil
	if counted {
		in.BaseReadKiB, in.LibcReadKiB = *a.InitBaseReadKiB-*a.InitLibcReadKiB, *a.InitLibcReadKiB
	} else { // no surer for knowing less: without root the read-ahead is the disk's, too
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
	out := &Predicted{Init: round(e.Ms), Interval: [2]float64{round(e.Low), round(e.High)}, Confidence: p.Confidence, Calibration: p.Calibration, Extrapolated: p.Extrapolated,
		Borrowed: p.Borrowed, PackageOnly: !counted, Published: c.Published(a.ID, a.Architecture), ZIP: round(p.ZipInit.Ms), Faster: arm.Package(p.Winner), CrossMs: p.CrossMs, CrossKiB: p.CrossKiB}
	if p.ImageInit != nil {
		out.Image = number(p.ImageInit.Ms)
	}
	return out
}

// predict fills in predictions, and how well the calibration predicts what others published.
func (r *Report) predict() {
	c := model.Default()
	if r.otherReadAhead(c) {
		return
	}
	for _, a := range r.Arms {
		if a.PredictedAWS = predicted(a, c); a.PredictedAWS != nil && r.Checks == nil {
			r.Checks = c.Compare()
		}
	}
}

// otherReadAhead says whether a run counted KiB with another read-ahead than the calibration's, so that nothing follows from them.
func (r *Report) otherReadAhead(c *model.Calibration) bool {
	for _, run := range r.Runs {
		if kib, counted := run.Options["readAheadKiB"]; counted && fmt.Sprint(kib) != fmt.Sprint(c.ReadAheadKiB) {
			return true
		}
	}
	return false
}
