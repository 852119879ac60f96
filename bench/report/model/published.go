package model

import "github.com/twinstart/twinstart/arm"

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
