// Package model predicts the time of a cold start on AWS from the lab's counts of a package: KiB read, and CPU.
//
// The model is a hypothesis that rests on few points (docs/model.md). Times are in ms, sizes in KiB. Every prediction
// names its clock, an interval, and its assumptions; none is ever shown as measured.
package model

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/twinstart/twinstart/arm"
)

// Schema is the version of the model file.
const Schema = 1

// Calibration is what predictions are based on: published figures, or an AWS run and a lab run of the same arms.
type Calibration struct {
	Schema        int                                `json:"schema"`
	Name          string                             `json:"name"`
	Note          string                             `json:"note,omitempty"`
	ReadAheadKiB  int                                `json:"readAheadKiB"` // the read-ahead at which KiB were counted
	Architectures map[arm.Architecture]*Architecture `json:"architectures"`
	CPU           CPU                                `json:"cpu"`
	Base          Base                               `json:"base"`
	Invoke        Invoke                             `json:"invoke"`
	Checks        []Check                            `json:"checks,omitempty"`
}

// Architecture is the calibration of one architecture. If it has no points, the other's are used.
type Architecture struct {
	Zip   []Point    `json:"zip,omitempty"`
	Weak  []Point    `json:"weak,omitempty"`  // points too uncertain to fit; below the range they widen the interval
	Image *ImageLine `json:"image,omitempty"` // of native runtimes (provided.*)
	// Fit is written for people. It is computed again when a file is read.
	Fit *Fit `json:"fit,omitempty"`
}

// Point is one ZIP arm: KiB read in the lab, Init Duration on AWS.
type Point struct {
	Name    string  `json:"name"`
	Arm     string  `json:"arm,omitempty"` // arm of the assembly that is the same package; "" if none
	ReadKiB float64 `json:"readKiB"`
	InitMs  float64 `json:"initMs"`
	// DaysMs is the range of Init Durations on 90 of 100 days; null if unknown.
	DaysMs  *[2]float64 `json:"daysMs,omitempty"`
	At      string      `json:"at,omitempty"` // p50 or mean
	Source  string      `json:"source,omitempty"`
	Counted string      `json:"counted,omitempty"`
}

// ImageLine is Init as image from Init as ZIP: InterceptMs + PerZipMs x ZIP.
type ImageLine struct {
	InterceptMs float64 `json:"interceptMs"`
	PerZipMs    float64 `json:"perZipMs"`
	Arms        int     `json:"arms"` // number of arms that the line was fitted to
	Source      string  `json:"source"`
	Pairs       []Pair  `json:"pairs,omitempty"`     // pairs that the line was fitted to
	Judges      []Pair  `json:"judges,omitempty"`    // pairs of the same study with runtimes that are not in the fit
	Elsewhere   []Pair  `json:"elsewhere,omitempty"` // pairs of other studies: they show how far the line moves
	// CrossDaysMs is the range of Init Durations at which the line crosses the line of ZIPs, on 90 of 100 days; null if
	// unknown.
	CrossDaysMs *[2]float64 `json:"crossDaysMs,omitempty"`
	Days        float64     `json:"days,omitempty"` // relative standard deviation of an image's Init from day to day
}

// Pair is one package deployed both ways, Init Duration in ms.
type Pair struct {
	Name    string  `json:"name"`
	Arm     string  `json:"arm,omitempty"` // arm of the assembly that is the same package as image
	At      string  `json:"at,omitempty"`  // p50 or mean; "" is p50
	ZipMs   float64 `json:"zipMs"`
	ImageMs float64 `json:"imageMs"`
	Source  string  `json:"source,omitempty"`
}

// CPU says how CPU time counts, in ms of a core.
type CPU struct {
	OwnMs  float64 `json:"ownMs"`  // CPU of the calibration's own packages, which the line includes already
	Spread float64 `json:"spread"` // relative uncertainty of CPU beyond it
	Source string  `json:"source,omitempty"`
	// Time of unpacking per MB (2^20 bytes), for packages whose CPU cannot be measured here.
	UPXLZMAMsPerMB float64 `json:"upxLZMAMsPerMB,omitempty"`
	UPXNRVMsPerMB  float64 `json:"upxNRVMsPerMB,omitempty"`
	UPXSource      string  `json:"upxSource,omitempty"`
}

// Base says which part of the KiB of the base's files, without the C library, counts as read from cold storage.
type Base struct {
	Share  float64 `json:"share"` // 0 to 1; the interval spans all of it
	Source string  `json:"source,omitempty"`
}

// Invoke is the part of the first invocation that is neither pages nor the function's CPU.
type Invoke struct {
	OverheadMs float64 `json:"overheadMs"`
	Source     string  `json:"source,omitempty"`
}

//go:embed calibration.json
var builtIn []byte

// Default is the built-in calibration.
func Default() *Calibration {
	c, err := Parse(builtIn)
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	return c
}

// Load reads a calibration from a file that `twinstart calibrate` wrote. "" is the built-in one.
func Load(path string) (c *Calibration, err error) {
	data := builtIn
	if path != "" {
		if data, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("reading a model: %w", err)
		}
	}
	if c, err = Parse(data); err != nil {
		err = fmt.Errorf("reading a model: %s: %w", path, err)
	}
	return c, err
}

// Parse reads a calibration and fits it.
func Parse(data []byte) (*Calibration, error) {
	var c Calibration
	err := json.Unmarshal(data, &c)
	if err == nil && c.Schema == 0 {
		err = errors.New("it has no schema")
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("not a model: %w; twinstart calibrate writes one", err)
	case c.Schema > Schema:
		return nil, fmt.Errorf("schema %d is newer than this twinstart reads (%d): update twinstart", c.Schema, Schema)
	}
	return &c, c.fit()
}

// fit fits every architecture that has points: each by itself, or both together if one has too few.
func (c *Calibration) fit() error {
	var fitted []*Architecture
	few := false
	for _, name := range []arm.Architecture{arm.ARM64, arm.X8664} {
		if a := c.Architectures[name]; a != nil && len(a.Zip) > 0 {
			fitted = append(fitted, a)
			few = few || len(a.Zip) < MinPoints
		}
	}
	for name, a := range c.Architectures {
		if err := a.check(name); err != nil {
			return err
		}
	}
	if len(fitted) == 0 {
		return errors.New("no architecture has points: nothing to predict from")
	}
	var err error
	if few && len(fitted) == 2 {
		fitted[0].Fit, fitted[1].Fit, err = fitTogether(fitted[0].Zip, fitted[1].Zip)
		return err
	}
	for _, a := range fitted {
		if a.Fit, err = FitPoints(a.Zip); err != nil {
			return err
		}
	}
	return nil
}

// check returns an error if an architecture cannot be used.
func (a *Architecture) check(name arm.Architecture) error {
	if a == nil {
		return fmt.Errorf("architecture %s is null", name)
	}
	if _, err := arm.ParseArchitecture(string(name)); err != nil {
		return err
	}
	for _, p := range slices.Concat(a.Zip, a.Weak) {
		if !good(p.ReadKiB) || !good(p.InitMs) || p.InitMs == 0 {
			return fmt.Errorf("%s %s: %v KiB, %v ms are not a point: want ms above 0", name, p.Name, p.ReadKiB, p.InitMs)
		}
		if d := p.DaysMs; d != nil && !(good(d[0]) && good(d[1]) && d[0] <= d[1]) {
			return fmt.Errorf("%s %s: days from %v to %v ms: want the lower first", name, p.Name, d[0], d[1])
		}
	}
	if i := a.Image; i != nil && !(good(i.InterceptMs) && i.PerZipMs > 0 && good(i.PerZipMs)) {
		return fmt.Errorf("%s: an image line of %v ms + %v x ZIP: want numbers above 0", name, i.InterceptMs, i.PerZipMs)
	}
	return nil
}

func good(x float64) bool { return x >= 0 && !math.IsInf(x, 0) }

// Check is a published figure that is not part of any fit.
type Check struct {
	Name         string           `json:"name"`
	Arm          string           `json:"arm,omitempty"` // arm of the assembly that is the same package; "" if none
	Architecture arm.Architecture `json:"architecture"`
	// Pair marks the figure of an image. To predict it, the line of images is fitted without the pairs whose names begin
	// with Pair.
	Pair    string  `json:"pair,omitempty"`
	ReadKiB float64 `json:"readKiB"`
	UPX     *UPX    `json:"upx,omitempty"`
	InitMs  float64 `json:"initMs"`
	At      string  `json:"at"` // p50 or mean
	Source  string  `json:"source"`
}

// Published is a published Init Duration of an arm on AWS.
type Published struct {
	InitMs       float64          `json:"init_ms"`
	At           string           `json:"at"` // p50 or mean
	Architecture arm.Architecture `json:"architecture"`
	Source       string           `json:"source"`
}

// Published looks for an arm among the figures of the calibration; nil means that it is not there. Published prefers
// figures of the arm's own architecture, and medians to means.
func (c *Calibration) Published(id string, architecture arm.Architecture) (found *Published) {
	see := func(arm string, p Published) {
		if arm != id {
			return
		}
		own, other := p.Architecture == architecture, found != nil && found.Architecture == architecture
		if found == nil || own && !other || own == other && p.At == "p50" && found.At != "p50" {
			found = &p
		}
	}
	for _, name := range []arm.Architecture{arm.ARM64, arm.X8664} {
		a := c.Architectures[name]
		if a == nil {
			continue
		}
		for _, p := range a.Zip {
			see(p.Arm, Published{p.InitMs, p.At, name, p.Source})
		}
		if a.Image != nil {
			for _, p := range a.Image.Elsewhere {
				see(p.Arm, Published{p.ImageMs, p.At, name, p.Source})
			}
		}
	}
	for _, k := range c.Checks {
		see(k.Arm, Published{k.InitMs, k.At, k.Architecture, k.Source})
	}
	return found
}
