package model

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/arm"
)

// Input holds the lab's counts of one package at the calibration's read-ahead.
type Input struct {
	Architecture arm.Architecture
	MemorySizeMB int // for the CPU of the first invocation

	ReadAheadKiB     int     // the read-ahead with which KiB were counted
	InitReadKiB      float64 // of the package, until GET /next
	FirstReadKiB     float64 // the same until the first response; 0 if there was none
	BaseReadKiB      float64 // of the base image's files until GET /next, without the C library
	LibcReadKiB      float64 // of the base's C library and loader, which AWS seems to hold in memory for a ZIP
	FirstBaseReadKiB float64 // of the base, from GET /next to the first response
	BaseUnknown      bool    // the base was not counted; it may be as much as Bash reads
	// CPU of the process tree in ms, with every page in memory; nil if it cannot be measured, for example because the
	// package is of another architecture.
	InitCPUMs  *float64
	FirstCPUMs *float64 // between GET /next and the first response
	UPX        *UPX     // nil if the package is not packed by UPX
	Managed    string   // the managed runtime that it starts, such as node; "" for native code
}

// NotPredicted is the error if nothing can be predicted for a package.
type NotPredicted struct{ Why string }

func (e *NotPredicted) Error() string { return "not predicted: " + e.Why }

// UPX holds what an executable packed by UPX says about itself.
type UPX struct {
	UnpackedBytes int64 `json:"unpackedBytes"`
	LZMA          bool  `json:"lzma"`
}

// Estimate is a predicted time with its interval, in ms.
type Estimate struct {
	Ms   float64 `json:"value"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Known reports whether the interval is narrow enough to say something: less than a factor of five.
func (e Estimate) Known() bool { return e.High <= notKnown*e.Low }

const notKnown = 5

// Text returns the estimate with its interval, or says that it is not known.
func (e Estimate) Text(digits int, unit string) string {
	if !e.Known() {
		return fmt.Sprintf("not known [%.*f, %.*f%s]", digits, e.Low, digits, e.High, unit)
	}
	return fmt.Sprintf("%.*f%s [%.*f, %.*f]", digits, e.Ms, unit, digits, e.Low, digits, e.High)
}

// bashBaseKiB is what bashtcp reads of the base's files until GET /next; bashLibcKiB is what it reads of the C library.
const bashBaseKiB, bashLibcKiB = 1400, 2104

// Prediction is what is predicted on AWS for one package, as ZIP and as image. None of it was measured on AWS.
type Prediction struct {
	Architecture arm.Architecture `json:"architecture"`
	Calibration  string           `json:"calibration"`
	Confidence   float64          `json:"confidence"`

	ZipInit   Estimate  `json:"zipInitMs"`   // Init Duration
	ImageInit *Estimate `json:"imageInitMs"` // nil without an image line
	// INIT + first Duration. It is a lower bound: download, unpacking and placement come before INIT and are not
	// modelled.
	ZipTotal   *Estimate `json:"zipColdTotalMs"` // nil without a first response
	ImageTotal *Estimate `json:"imageColdTotalMs"`

	MsPerKiB     float64 `json:"msPerKiB"` // cost of a KiB read, as ZIP
	CPUBeyondMs  float64 `json:"cpuBeyondCalibrationMs"`
	Extrapolated string  `json:"extrapolated,omitempty"` // how KiB leave the calibrated range; "" if they do not
	Borrowed     string  `json:"borrowed,omitempty"`     // the architecture whose line was used, if its own has none
	// Winner is "zip" or "image" if the ZIP's interval lies wholly below or above the crossovers of all days; else "".
	Winner    string      `json:"winner"`
	CrossMs   *float64    `json:"crossoverInitMs"`     // Init at which ZIP and image take the same time
	CrossDays *[2]float64 `json:"crossoverInitMsDays"` // range of CrossMs on 90 of 100 days
	CrossKiB  *float64    `json:"crossoverReadKiB"`    // KiB read at which ZIP and image take the same time
	Notes     []string    `json:"notes"`
}

func (p *Prediction) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// Predict predicts a cold start. The error says what the calibration lacks.
func (c *Calibration) Predict(in Input) (*Prediction, error) {
	if in.Managed != "" {
		return nil, &NotPredicted{"it starts " + in.Managed + ", and the model is of native code only (docs/model.md): " +
			"measure it with twinstart run --source aws"}
	}
	own := c.Architectures[in.Architecture]
	p := &Prediction{Architecture: in.Architecture, Calibration: c.Name, Confidence: Confidence, Notes: []string{}}
	lines := own
	if own == nil || own.Fit == nil { // another has a line, or Parse would have refused the calibration
		for _, other := range []arm.Architecture{arm.ARM64, arm.X8664} {
			if a := c.Architectures[other]; a != nil && a.Fit != nil {
				lines, p.Borrowed = a, string(other)
			}
		}
		p.note("%s has no points: the line of %s is used, and the interval is wider by 25 %%", in.Architecture, p.Borrowed)
	}
	fit := lines.Fit
	p.MsPerKiB = fit.MsPerKiB
	p.ZipInit = c.zip(in.InitReadKiB+c.Base.Share*in.BaseReadKiB, lines, fit, p)
	if in.BaseUnknown {
		in.BaseReadKiB, in.LibcReadKiB = bashBaseKiB, bashLibcKiB
	}
	if in.BaseReadKiB > 0 {
		_, p.ZipInit.High = fit.Interval(in.InitReadKiB + in.BaseReadKiB)
		low, _ := fit.Interval(in.InitReadKiB)
		p.ZipInit.Low = math.Min(p.ZipInit.Low, low)
	}
	if in.BaseUnknown {
		p.note("the base's files were not counted: they may be 0 to %d KiB; ZIP and image are not told apart", bashBaseKiB)
	} else if in.BaseReadKiB > in.InitReadKiB/20 {
		p.note("it reads %.0f KiB of the base's files: AWS may have none or all of them in memory", in.BaseReadKiB)
	}
	if p.Borrowed != "" {
		p.ZipInit.widen(0.25)
	}
	if fit.Times > 0 && p.Borrowed == "" {
		p.note("%s has too few points: its line is fitted together with the other, times %.2f", in.Architecture, fit.Times)
	} else if fit.levels() < MinPoints {
		p.ZipInit.widen(0.1)
		p.note("%s has points of two sizes only: the interval is wider by 10 %% of the figure", in.Architecture)
	}
	if in.ReadAheadKiB != c.ReadAheadKiB {
		p.ZipInit.widen(0.2)
		p.note("read-ahead %d, but %d in the calibration: the interval is wider by 20 %%", in.ReadAheadKiB, c.ReadAheadKiB)
	}
	c.addCPU(in, p)
	if own != nil && own.Image != nil {
		p.image(own.Image, in, fit)
	} else {
		p.note("the calibration has no pairs of ZIP and image: images are not predicted")
	}
	c.total(in, fit, own, p)
	return p, nil
}

// zip returns the line's estimate. Below the calibrated range a second, wider line widens its interval.
func (c *Calibration) zip(kib float64, a *Architecture, fit *Fit, p *Prediction) Estimate {
	e := Estimate{Ms: fit.At(kib)}
	e.Low, e.High = fit.Interval(kib)
	r := fit.RangeKiB
	switch {
	case kib < r[0]:
		p.Extrapolated = fmt.Sprintf("%.0f KiB read lie below the calibrated %.0f-%.0f", kib, r[0], r[1])
		if len(a.Weak) == 0 {
			break
		}
		// Little is known below the range: published points with uncertain KiB lie below the line.
		if wide, err := leastSquares(slices.Concat(fit.kept, a.Weak), 2); err == nil {
			low, high := wide.Interval(kib)
			e.Low, e.High = math.Min(e.Low, low), math.Max(e.High, high)
		}
	case kib > r[1]:
		p.Extrapolated = fmt.Sprintf("%.0f KiB read lie above the calibrated %.0f-%.0f", kib, r[0], r[1])
	}
	return e
}

// addCPU adds the CPU time beyond that of the calibration's own packages. INIT runs at full speed.
func (c *Calibration) addCPU(in Input, p *Prediction) {
	cpu := 0.0
	switch {
	case in.InitCPUMs != nil:
		cpu = *in.InitCPUMs
	case in.UPX != nil:
		rate, method := c.CPU.UPXNRVMsPerMB, "NRV"
		if in.UPX.LZMA {
			rate, method = c.CPU.UPXLZMAMsPerMB, "LZMA"
		}
		cpu = rate*float64(in.UPX.UnpackedBytes)/(1<<20) + c.CPU.OwnMs
		p.note("packed by UPX: the whole file is read, then %.0f ms of CPU unpack %.1f MB (%s; estimated by size, because "+
			"CPU cannot be measured under emulation)", cpu-c.CPU.OwnMs, float64(in.UPX.UnpackedBytes)/(1<<20), method)
	default:
		p.note("CPU was not measured (other architecture, or no privileges): a package that computes much takes longer")
	}
	p.CPUBeyondMs = math.Max(0, cpu-c.CPU.OwnMs)
	p.ZipInit.add(Estimate{p.CPUBeyondMs, p.CPUBeyondMs * (1 - c.CPU.Spread), p.CPUBeyondMs * (1 + c.CPU.Spread)})
}

// image applies the image line to the ZIP's estimate. Its interval reaches down to what other studies measured for
// images in warm caches, and up by the cost of the base's files.
func (p *Prediction) image(line *ImageLine, in Input, fit *Fit) {
	at := func(zip float64) float64 { return line.InterceptMs + line.PerZipMs*zip }
	e := Estimate{Ms: at(p.ZipInit.Ms)}
	own := math.Hypot(line.spread(), distuv.UnitNormal.Quantile((1+Confidence)/2)*line.Days)
	down := 1 - own
	for _, pair := range line.Elsewhere {
		down = math.Min(down, pair.ImageMs/at(pair.ZipMs))
	}
	e.Low, e.High = at(p.ZipInit.Low)*down, at(p.ZipInit.High)*(1+own)+fit.MsPerKiB*(in.BaseReadKiB+in.LibcReadKiB)
	p.ImageInit = &e
	if line.PerZipMs >= 1 {
		return
	}
	cross := line.InterceptMs / (1 - line.PerZipMs)
	p.CrossMs, p.CrossDays = &cross, line.CrossDaysMs
	if p.CrossDays == nil {
		p.CrossDays = &[2]float64{cross * (1 - own), cross * (1 + own)}
	}
	if kib := fit.KiB(cross - p.CPUBeyondMs); kib > 0 {
		p.CrossKiB = &kib
	}
	switch {
	case in.BaseUnknown:
	case p.ZipInit.High < p.CrossDays[0]:
		p.Winner = "zip"
	case p.ZipInit.Low > p.CrossDays[1] && in.BaseReadKiB <= in.InitReadKiB/20: // the line has no cold reads of the base
		p.Winner = "image"
	}
}

// spread returns the relative error with which the line predicts another image, with Confidence.
func (l *ImageLine) spread() float64 {
	var rss float64
	for _, p := range l.Pairs {
		d := p.ImageMs/(l.InterceptMs+l.PerZipMs*p.ZipMs) - 1
		rss += d * d
	}
	df := float64(len(l.Pairs) - 2)
	if df < 1 {
		return 0.2
	}
	t := distuv.StudentsT{Sigma: 1, Nu: df}.Quantile((1 + Confidence) / 2)
	return t * math.Max(floor, math.Sqrt(rss/df)) * math.Sqrt(1+1/float64(len(l.Pairs)))
}

// total adds the first invocation: its pages, and its CPU time at the share of a core that the memory size gives.
func (c *Calibration) total(in Input, fit *Fit, own *Architecture, p *Prediction) {
	if in.FirstReadKiB == 0 {
		p.note("no first response: no cold total")
		return
	}
	kib := math.Max(0, in.FirstReadKiB-in.InitReadKiB) + c.Base.Share*math.Max(0, in.FirstBaseReadKiB)
	more := kib * fit.MsPerKiB
	cpu := 0.0
	if in.FirstCPUMs != nil && in.MemorySizeMB > 0 {
		cpu = *in.FirstCPUMs / math.Min(1, arm.VCPUs(in.MemorySizeMB))
	}
	first := func(pages float64) Estimate {
		ms := c.Invoke.OverheadMs + pages + cpu
		return Estimate{ms, ms / 2, ms * 2}
	}
	zip := p.ZipInit
	zip.add(first(more))
	p.ZipTotal = &zip
	if p.ImageInit != nil {
		image := *p.ImageInit
		image.add(first(more * own.Image.PerZipMs))
		p.ImageTotal = &image
	}
}

func (e *Estimate) add(o Estimate) { e.Ms, e.Low, e.High = e.Ms+o.Ms, e.Low+o.Low, e.High+o.High }

// widen moves both ends of the interval out by a part of the estimate.
func (e *Estimate) widen(part float64) {
	e.Low, e.High = math.Max(0, e.Low-part*e.Ms), e.High+part*e.Ms
}
