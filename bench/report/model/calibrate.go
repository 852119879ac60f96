package model

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// ArmKey identifies an arm in an AWS run and in a lab run.
type ArmKey struct {
	Arm          string
	Architecture arm.Architecture
}

// Observed collects the cold starts of an AWS run and of a lab run, by arm.
type Observed map[ArmKey]*observed

// observed holds the values of one arm. Without privileges the lab can count kib only.
type observed struct {
	identity *record.Record
	init     []float64 // AWS: Init Duration, ms
	kib      []float64 // lab: KiB of the package read at GET /next
	base     []float64 // KiB of the base's own files, without the C library
	cpu      []float64 // ms to GET /next, every page in memory
	by       string    // how kib was counted in extra starts; "" if measured starts were counted
}

// Add takes a cold start that counts, and skips all other records. Published records do not count, because they are not
// from the user's own run.
func (o Observed) Add(r *record.Record) {
	own := r.Published == "" && r.Summary == nil
	measured := r.Source == record.AWS && r.InitDurationMs != nil || r.Source == record.Lab && r.InitReadKiB != nil
	if r.Start != record.Cold || r.Marked != "" || r.FirstAfterDeploy || r.FunctionError != "" || !own || !measured {
		return
	}
	key := ArmKey{r.Arm, r.Architecture}
	if o[key] == nil {
		o[key] = &observed{}
	}
	if o[key].identity = r; r.Source == record.AWS {
		o[key].init = append(o[key].init, *r.InitDurationMs)
	} else {
		o[key].count(r)
	}
}

func (c *observed) count(r *record.Record) {
	if r.InitPackageReadKiB != nil { // predictions use this count; the count of a measured start depends on this machine
		c.kib, c.by = append(c.kib, *r.InitPackageReadKiB), r.PackageReadBy
	} else {
		c.kib = append(c.kib, *r.InitReadKiB)
	}
	if r.InitBaseReadKiB != nil && r.InitLibcReadKiB != nil {
		c.base = append(c.base, max(0, *r.InitBaseReadKiB-*r.InitLibcReadKiB))
	}
	if r.InitWarmCPUMs != nil {
		c.cpu = append(c.cpu, *r.InitWarmCPUMs)
	}
}

// median returns the median, or NaN if there are no values.
func median(values []float64) float64 { return stat.NewSample(values).Quantile(0.5) }

// point makes a point of the line from an arm. It applies the rules of Predict in reverse: it adds the part of the
// base's KiB that counts, and subtracts CPU beyond that of the calibration's own packages.
func (c *Calibration) point(name string, lab *observed) Point {
	p := Point{Name: name, ReadKiB: median(lab.kib), InitMs: median(lab.init), At: "p50",
		Source: fmt.Sprintf("AWS, %d cold starts", len(lab.init)), Counted: fmt.Sprintf("lab, %d cold starts", len(lab.kib))}
	if lab.by != "" {
		p.Counted = "lab, " + lab.by
	}
	if base := median(lab.base); base > 0 {
		p.ReadKiB += c.Base.Share * base
		p.Counted += fmt.Sprintf("; %.0f %% of %.0f KiB of the base added", 100*c.Base.Share, base)
	}
	if beyond := median(lab.cpu) - c.CPU.OwnMs; beyond > 0 {
		p.InitMs -= beyond
		p.Counted += fmt.Sprintf("; %.1f ms of CPU taken off", beyond)
	}
	return p
}

// Calibrate makes a calibration from medians of INIT on AWS and of KiB read in the lab. The line of images needs
// three pairs of ZIP and image; with fewer pairs the built-in line stays.
func (o Observed) Calibrate(name string, builtIn *Calibration) (*Calibration, error) {
	keys := slices.SortedFunc(maps.Keys(o), func(a, b ArmKey) int {
		return cmp.Or(cmp.Compare(a.Architecture, b.Architecture), cmp.Compare(a.Arm, b.Arm))
	})
	switch {
	case !slices.ContainsFunc(keys, func(k ArmKey) bool { return len(o[k].init) > 0 }):
		return nil, errors.New("the AWS records have no cold start with an Init Duration: run twinstart run --source aws")
	case !slices.ContainsFunc(keys, func(k ArmKey) bool { return len(o[k].kib) > 0 }):
		return nil, errors.New("the lab records have no cold start with KiB read: run twinstart run --source lab")
	}
	c := &Calibration{Schema: Schema, Name: name, ReadAheadKiB: builtIn.ReadAheadKiB, CPU: builtIn.CPU, Base: builtIn.Base,
		Invoke: builtIn.Invoke, Architectures: map[arm.Architecture]*Architecture{}}
	for _, key := range keys {
		if m := o[key]; m.identity.Package == arm.ZIP && len(m.init) > 0 && len(m.kib) > 0 && key.Architecture != "" {
			if c.Architectures[key.Architecture] == nil {
				c.Architectures[key.Architecture] = &Architecture{}
			}
			a := c.Architectures[key.Architecture]
			a.Zip = append(a.Zip, c.point(key.Arm, m))
		}
	}
	if len(c.Architectures) == 0 {
		return nil, errors.New("no ZIP arm is in both files: measure arms of one architecture on AWS and in the lab")
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

// pairs returns the bootstraps that were measured on AWS both as ZIP and as image.
func (o Observed) pairs(a arm.Architecture) (pairs []Pair) {
	for key, m := range o {
		zip := o[ArmKey{arm.ID(m.identity.Bootstrap, arm.ZIP), a}]
		if key.Architecture == a && m.identity.Package != arm.ZIP && len(m.init) > 0 && zip != nil && len(zip.init) > 0 {
			pairs = append(pairs, Pair{Name: key.Arm, ZipMs: median(zip.init), ImageMs: median(m.init)})
		}
	}
	slices.SortFunc(pairs, func(x, y Pair) int { return cmp.Compare(x.Name, y.Name) })
	return pairs
}

// fitImages fits INIT as image over INIT as ZIP, as FitPoints fits INIT over KiB.
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
	return &ImageLine{InterceptMs: f.InterceptMs, PerZipMs: f.MsPerKiB, Arms: len(pairs), Pairs: pairs,
		Source: "AWS, the same run"}, nil
}
