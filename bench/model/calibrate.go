package model

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/stat"
	"github.com/twinstart/twinstart/runtime/arm"
)

// ArmKey is what an AWS run and a lab run share: the same arm of the same architecture.
type ArmKey struct {
	Arm          string
	Architecture arm.Architecture
}

// Observed collects cold starts of an AWS run and of a lab run, arm by arm.
type Observed struct {
	identity map[ArmKey]*record.Record
	init     map[ArmKey][]float64 // AWS: Init Duration, ms
	kib      map[ArmKey][]float64 // lab: KiB read at GET /next
}

// NewObserved is empty.
func NewObserved() *Observed {
	return &Observed{identity: map[ArmKey]*record.Record{}, init: map[ArmKey][]float64{}, kib: map[ArmKey][]float64{}}
}

// Add takes a cold start that counts; whatever else a file holds is passed over. Published records are no run of one's own.
func (o *Observed) Add(r *record.Record) {
	if r.Start != record.Cold || r.Marked != "" || r.FirstAfterDeploy || r.FunctionError != "" || r.Published != "" || r.Summary != nil {
		return
	}
	key := ArmKey{r.Arm, r.Architecture}
	switch {
	case r.Source == record.AWS && r.InitDurationMs != nil:
		o.init[key] = append(o.init[key], *r.InitDurationMs)
	case r.Source == record.Lab && r.InitReadKiB != nil:
		o.kib[key] = append(o.kib[key], *r.InitReadKiB)
	default:
		return
	}
	o.identity[key] = r
}

// Calibrate makes a calibration of one's own: medians of INIT on AWS beside medians of KiB read in the lab. Images need a line of
// their own; without three pairs of ZIP and image the built-in one stays.
func (o *Observed) Calibrate(name string, builtIn *Calibration) (*Calibration, error) {
	switch {
	case len(o.init) == 0:
		return nil, errors.New("no cold start with an Init Duration in the AWS records: measure with twinstart run --source aws")
	case len(o.kib) == 0:
		return nil, errors.New("no cold start with KiB read in the lab records: measure with twinstart run --source lab")
	}
	c := &Calibration{Schema: Schema, Name: name, ReadAheadKiB: builtIn.ReadAheadKiB, Architectures: map[arm.Architecture]*Architecture{}, CPU: builtIn.CPU, Base: builtIn.Base, Invoke: builtIn.Invoke}
	keys := slices.SortedFunc(maps.Keys(o.init), func(a, b ArmKey) int {
		return cmp.Or(cmp.Compare(a.Architecture, b.Architecture), cmp.Compare(a.Arm, b.Arm))
	})
	for _, key := range keys {
		id := o.identity[key]
		kib := o.kib[key]
		if id.Package != arm.ZIP || len(kib) == 0 || key.Architecture == "" {
			continue
		}
		a := c.architecture(key.Architecture)
		a.Zip = append(a.Zip, Point{Name: key.Arm, ReadKiB: stat.NewSample(kib).Quantile(0.5), InitMs: stat.NewSample(o.init[key]).Quantile(0.5), At: "p50",
			Source: fmt.Sprintf("AWS, %d cold starts", len(o.init[key])), Counted: fmt.Sprintf("lab, %d cold starts", len(kib))})
	}
	if len(c.Architectures) == 0 {
		return nil, errors.New("no ZIP arm is in both files: the AWS run and the lab run must measure the same arms of the same architecture")
	}
	for name, a := range c.Architectures {
		pairs := o.pairs(name)
		if line, err := fitImages(pairs); err == nil {
			a.Image = line
		} else if b := builtIn.Architectures[name]; b != nil {
			a.Image = b.Image
		}
	}
	return c, c.fit()
}

func (c *Calibration) architecture(name arm.Architecture) *Architecture {
	if c.Architectures[name] == nil {
		c.Architectures[name] = &Architecture{}
	}
	return c.Architectures[name]
}

// pairs are bootstraps measured on AWS both as ZIP and as image.
func (o *Observed) pairs(a arm.Architecture) (pairs []Pair) {
	for key, init := range o.init {
		id := o.identity[key]
		zip := o.init[ArmKey{arm.ID(id.Bootstrap, arm.ZIP), a}]
		if key.Architecture == a && id.Package != arm.ZIP && len(zip) > 0 {
			pairs = append(pairs, Pair{Name: key.Arm, ZipMs: stat.NewSample(zip).Quantile(0.5), ImageMs: stat.NewSample(init).Quantile(0.5)})
		}
	}
	slices.SortFunc(pairs, func(x, y Pair) int { return cmp.Compare(x.Name, y.Name) })
	return pairs
}

// fitImages fits image against ZIP as FitPoints fits Init against KiB.
func fitImages(pairs []Pair) (*ImageLine, error) {
	points := make([]Point, len(pairs))
	for i, p := range pairs {
		points[i] = Point{Name: p.Name, ReadKiB: p.ZipMs, InitMs: p.ImageMs}
	}
	f, err := FitPoints(points)
	if err != nil {
		return nil, err
	}
	if f.InterceptMs < 0 {
		return nil, fmt.Errorf("the line of images starts below 0 (%.1f ms)", f.InterceptMs)
	}
	return &ImageLine{InterceptMs: f.InterceptMs, PerZipMs: f.MsPerKiB, Arms: len(pairs), Source: "AWS, the same run", Pairs: pairs}, nil
}
