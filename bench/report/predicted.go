package report

import (
	"github.com/twinstart/twinstart/bench/model"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/runtime/arm"
)

// Predicted is what AWS should take for an arm of the lab: Init Duration, from the KiB of its package that were read. It is a prediction,
// not a measurement, and leaves out what records do not hold: the base's own files and CPU beyond a little. `twinstart predict` counts them.
type Predicted struct {
	Init         float64    `json:"init_ms"`
	Interval     [2]float64 `json:"init_ms_interval"`
	Confidence   float64    `json:"confidence"`
	Calibration  string     `json:"calibration"`
	Extrapolated string     `json:"extrapolated,omitempty"`
	Borrowed     string     `json:"borrowed,omitempty"` // architecture whose line it is
}

// predicted is nil where nothing can be said: for arms of AWS, without KiB, and where the lab itself took longer than what pages explain
// (CPU, as UPX takes; a base's own files).
func predicted(a *Arm, c *model.Calibration) *Predicted {
	if a.Source != record.Lab || a.InitReadKiB == nil || a.Published != "" {
		return nil
	}
	p, err := c.Predict(model.Input{Architecture: a.Architecture, MemorySizeMB: a.MemorySizeMB, ReadAheadKiB: c.ReadAheadKiB, InitReadKiB: *a.InitReadKiB})
	if err != nil {
		return nil
	}
	if a.P50 == nil || *a.P50 > p.ZipInit.High {
		return nil
	}
	e := &p.ZipInit
	if a.Package != arm.ZIP {
		e = p.ImageInit
	}
	if e == nil {
		return nil
	}
	return &Predicted{round(e.Ms), [2]float64{round(e.Low), round(e.High)}, p.Confidence, p.Calibration, p.Extrapolated, p.Borrowed}
}

// otherReadAhead says whether a run counted KiB with another read-ahead than the calibration's, so that nothing follows from them.
func (r *Report) otherReadAhead(c *model.Calibration) bool {
	for _, run := range r.Runs {
		switch kib := run.Options["readAheadKiB"].(type) {
		case float64: // as JSON has it
			if int(kib) != c.ReadAheadKiB {
				return true
			}
		case int:
			if kib != c.ReadAheadKiB {
				return true
			}
		}
	}
	return false
}
