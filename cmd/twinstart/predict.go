package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	goio "io"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/report/compare"
	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
)

// predictCommand predicts cold starts on AWS of packages that were never deployed.
type predictCommand struct {
	probeFlags
	Model    string   `placeholder:"FILE" help:"Calibration that twinstart calibrate wrote; the built-in one by default."`
	Format   string   `default:"text" enum:"text,json" help:"text or json."`
	Against  string   `placeholder:"PATH" help:"Package that the others replace: --fail-on holds them against it."`
	FailOn   []string `sep:"," placeholder:"EXPR,..." help:"Exit with status 1 where a package is worse than --against: initReadKiB>2%, init>1ms, package>100KiB."`
	Packages []string `arg:"" name:"path|arm" help:"Bootstrap, ZIP, folder, image tarball (docker save), or arm of the assembly."`
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

// Run measures each package and predicts.
func (c *predictCommand) Run(ctx context.Context, io streams) error {
	calibration, err := model.Load(c.Model)
	if err != nil {
		return err
	}
	var guards []compare.Expression
	for _, text := range c.FailOn {
		e, err := compare.ParseExpression(text)
		if _, known := guarded[e.Metric]; err != nil || !known || e.Arms != "" || e.Quantile != 0.5 {
			return fmt.Errorf("--fail-on %q: want METRIC>AMOUNT, such as initReadKiB>2%%, init>1ms or package>100KiB", text)
		}
		guards = append(guards, e)
	}
	args := c.Packages
	if c.Against != "" {
		args = append(slices.Clone(args), c.Against)
	} else if len(guards) > 0 {
		return errors.New("--fail-on: name the package to hold the others against with --against")
	}
	all := []predicted{}
	fit := func(packages []*probe.Package) error { return sameArchitecture(packages, c.Against != "", io) }
	failure := c.measure(ctx, args, fit, io, func(pkg *probe.Package, r *probe.Result, files []*explain.Explanation) error {
		one, _, err := predict(calibration, pkg, r, files)
		if err == nil {
			all = append(all, one)
		}
		return err
	})
	switch {
	case len(all) == 0:
	case c.Format == "json":
		err = table.JSON(io.out, struct {
			Schema      int         `json:"schema"`
			Predictions []predicted `json:"predictions"`
		}{1, all})
	case len(all) == 1:
		writePrediction(io.out, &all[0], columns(io.out))
	default:
		err = writeRanking(io.out, all, c.Against != "" && len(all) == len(args), columns(io.out))
	}
	switch {
	case err != nil:
		return fmt.Errorf("writing predictions: %w", err)
	case failure != nil || len(guards) == 0:
		return failure
	case len(all) != len(args):
		return errors.New("--against: name single packages, at one level of each factor")
	}
	return check(guards, all, io)
}

// predict predicts a package from what was counted of it, and says what its INIT consists of.
func predict(c *model.Calibration, pkg *probe.Package, r *probe.Result, files []*explain.Explanation) (predicted, explain.Page, error) {
	one, page := predicted{Measured: r}, explain.Page{Name: r.Name, Files: files}
	in := modelInput(pkg, r)
	p, err := c.Predict(in) // what pages cost is known, though nothing may be predicted for the whole
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

// modelInput returns a measurement as input of the model: counts at the read-ahead that it is calibrated for. It does
// not say whether the runtime is managed.
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

// guarded are the figures of a prediction for --fail-on, with units and decimals.
var guarded = map[string]struct {
	unit   string
	digits int
	of     func(*predicted) float64
}{
	"initReadKiB": {"KiB", 0, func(p *predicted) float64 { return float64(p.Measured.Reads[0].Next.PackageKiB) }},
	"init":        {"ms", 1, (*predicted).init},
	"package":     {"KiB", 0, func(p *predicted) float64 { return float64(p.Measured.Bytes) / 1024 }},
}

// init returns the predicted INIT as ZIP in ms, or infinity if there is no prediction.
func (p *predicted) init() float64 {
	if p.Prediction == nil {
		return math.Inf(1)
	}
	return p.Prediction.ZipInit.Ms
}

// check compares all packages with the last one, which --against named.
func check(guards []compare.Expression, all []predicted, io streams) (err error) {
	last := len(all) - 1
	for i := range all[:last] {
		for _, g := range guards {
			metric, now := guarded[g.Metric], &all[i]
			was, is := metric.of(&all[last]), metric.of(now)
			limit := was + g.Limit
			if g.Relative {
				limit = was * (1 + g.Limit)
			}
			text := fmt.Sprintf("%s: %s %.*f -> %.*f %s (limit %s)", now.Measured.Name, g.Metric, metric.digits, was,
				metric.digits, is, metric.unit, g.Text)
			if math.IsInf(was+is, 1) {
				text = fmt.Sprintf("%s: %s cannot be held: not predicted", now.Measured.Name, g.Metric)
			}
			if is <= limit && !math.IsInf(limit, 1) {
				fmt.Fprintln(io.out, text+": holds")
				continue
			}
			err = errFinding
			fmt.Fprintln(io.err, "twinstart: failed:", text)
		}
	}
	return err
}

// sameArchitecture returns an error if guarded packages have two architectures. In a table it prints a warning.
func sameArchitecture(packages []*probe.Package, guarded bool, io streams) error {
	last := packages[len(packages)-1]
	i := slices.IndexFunc(packages, func(p *probe.Package) bool { return p.Architecture != last.Architecture })
	if i < 0 {
		return nil
	}
	text := fmt.Sprintf("%s is for %s, %s for %s: build both for one architecture", packages[i].Name, packages[i].Architecture, last.Name, last.Architecture)
	if guarded {
		return errors.New(text)
	}
	io.warn(text)
	return nil
}

// writeRanking writes a table of packages, the fastest first, each with its ratio to the first, or to the one that
// --against named.
func writeRanking(out goio.Writer, all []predicted, against bool, width int) error {
	ranked := slices.Clone(all)
	rest, to := ranked, "the first"
	if against {
		ranked = append(ranked[len(all)-1:], ranked[:len(all)-1]...)
		rest, to = ranked[1:], ranked[0].Measured.Name
	}
	slices.SortStableFunc(rest, func(a, b predicted) int { return cmp.Compare(a.init(), b.init()) })
	t := table.Table{Heads: table.Heads(1, "package", "KiB read", "KiB packed", "INIT on AWS as ZIP, predicted", "as image", "against "+to)}
	first := ranked[0].Prediction
	for i := range ranked {
		p := &ranked[i]
		name, zip, image, ratio := p.Measured.Name, "not predicted", table.None, table.None
		if i == 0 && against {
			name = "against " + name
		}
		if f := p.Prediction; f != nil {
			zip, image = estimate(&f.ZipInit, "ms"), estimate(f.ImageInit, "ms")
		}
		if f := p.Prediction; f != nil && first != nil {
			ratio = fmt.Sprintf("%.2fx", f.ZipInit.Ms/first.ZipInit.Ms)
			if i > 0 && f.ZipInit.Low <= first.ZipInit.High && first.ZipInit.Low <= f.ZipInit.High {
				ratio += ", not told apart"
			}
		}
		t.Add(name, fmt.Sprintf("%.0f", guarded["initReadKiB"].of(p)), fmt.Sprintf("%.0f", guarded["package"].of(p)), zip, image, ratio)
	}
	t.Heads[5].Left = true
	_, err := fmt.Fprint(out, t.Text(width))
	return err
}
