package main

import (
	"cmp"

	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
)

// predict predicts a package from its counts, and says what its INIT consists of.
func predict(c *model.Calibration, pkg *probe.Package, r *probe.Result, files []*explain.Explanation) (
	predicted, explain.Page, error) {
	one, page := predicted{Measured: r}, explain.Page{Name: r.Name, Files: files}
	in := modelInput(pkg, r)
	p, err := c.Predict(in) // MsPerKiB is known even if INIT as a whole cannot be predicted
	if err != nil {
		return one, page, err
	}
	page.Forecast = explain.Forecast{MsPerKiB: p.MsPerKiB, Base: c.Base.Share, CPU: p.CPUBeyondMs}
	if in.Managed = r.Managed(); in.Managed == "" {
		page.Forecast.Init = &[3]float64{p.ZipInit.Ms, p.ZipInit.Low, p.ZipInit.High}
		page.Forecast.Fixed = p.ZipInit.Ms - p.CPUBeyondMs - p.MsPerKiB*(in.InitReadKiB+c.Base.Share*in.BaseReadKiB)
		one.Prediction, one.Cost = p, priceOf(p, in.MemorySizeMB)
	} else if _, err = c.Predict(in); err != nil {
		one.NotPredicted = err.Error()
	}
	one.Advice = page.Advice()
	return one, page, nil
}

// modelInput returns a measurement as the model's input: counts at the read-ahead that the model is calibrated for. The
// input does not say yet whether the runtime is managed.
func modelInput(pkg *probe.Package, r *probe.Result) model.Input {
	reads := r.Reads[0]
	in := model.Input{Architecture: r.Architecture, MemorySizeMB: cmp.Or(pkg.MemorySizeMB, defaultMemoryMB),
		ReadAheadKiB: reads.ReadAheadKiB, InitReadKiB: float64(reads.Next.PackageKiB),
		BaseReadKiB: float64(reads.Next.BaseKiB - reads.Next.LibcKiB), LibcReadKiB: float64(reads.Next.LibcKiB),
		BaseUnknown: !reads.Next.BaseCounted}
	if reads.First != nil {
		in.FirstReadKiB = float64(reads.First.PackageKiB)
		in.FirstBaseReadKiB = float64(reads.First.BaseKiB - reads.First.LibcKiB - reads.Next.BaseKiB + reads.Next.LibcKiB)
	}
	if r.CPU != nil {
		in.InitCPUMs, in.FirstCPUMs = &r.CPU.InitMs, r.CPU.FirstMs
	}
	if r.UPX != nil {
		in.UPX = &model.UPX{UnpackedBytes: r.UPX.UnpackedBytes, LZMA: r.UPX.LZMA}
	}
	return in
}

// predicted is one package in the JSON form.
type predicted struct {
	Measured   *probe.Result     `json:"measured"`   // in the lab
	Prediction *model.Prediction `json:"prediction"` // for AWS; null if there is none
	// NotPredicted says why there is none.
	NotPredicted string    `json:"notPredicted,omitempty"`
	Cost         *coldCost `json:"usdPerMillionColdStarts,omitempty"`
	// Advice says what INIT consists of, and what could be removed.
	Advice []explain.Advice `json:"advice,omitempty"`
}

// coldCost is the predicted cost of a million cold starts: INIT and the first invocation.
type coldCost struct {
	MemorySizeMB int             `json:"memorySizeMB"`
	Prices       string          `json:"prices"`
	Zip          model.Estimate  `json:"zip"`
	Image        *model.Estimate `json:"image"`
}

// priceOf returns the cost of a predicted cold start, or nil if there is no price.
func priceOf(p *model.Prediction, memoryMB int) *coldCost {
	rate, ok := price.Default().Rate("", p.Architecture)
	if !ok {
		return nil
	}
	zip, image := p.ZipTotal, p.ImageTotal
	if zip == nil {
		zip, image = &p.ZipInit, p.ImageInit
	}
	of := func(ms float64) float64 { return 1e6 * rate.Invocation(memoryMB, ms) }
	usd := func(e model.Estimate) model.Estimate {
		return model.Estimate{Ms: of(e.Ms), Low: of(e.Low), High: of(e.High)}
	}
	c := &coldCost{MemorySizeMB: memoryMB, Prices: rate.Region + " list of " + rate.AsOf, Zip: usd(*zip)}
	if image != nil {
		c.Image = new(usd(*image))
	}
	return c
}
