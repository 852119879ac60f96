package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	goio "io"
	"math"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/compare"
	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
)

// predictCommand predicts cold starts on AWS of packages that were never deployed.
type predictCommand struct {
	probeFlags
	Model     string   `placeholder:"FILE" help:"Calibration that twinstart calibrate wrote; the built-in one by default."`
	Format    string   `default:"text" enum:"text,json" help:"text or json."`
	PageCache bool     `help:"Count with read-ahead as this machine's own kernel reads, in place of computing it from the order of first touches."`
	Against   string   `placeholder:"PATH" help:"Package that the others replace: --fail-on holds them against it."`
	FailOn    []string `sep:"," placeholder:"EXPR,..." help:"Exit with status 1 where a package is worse than --against: initReadKiB>2%, init>1ms, package>100KiB."`
	Full      bool     `help:"Of several packages too, all that was counted and predicted."`
	Packages  []string `arg:"" name:"path|arm" help:"Bootstrap, ZIP, folder, image tarball (docker save), or arm of the assembly."`
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
	packages, missing, err := c.packages(ctx, args, io)
	if err != nil {
		return err
	}
	if err := sameArchitecture(packages, c.Against != "", io); err != nil {
		return err
	}
	ranked := c.Format == "text" && len(packages) > 1 && !c.Full
	var files []*explain.Explanation
	options := probe.Options{PageCache: c.PageCache}
	if !ranked {
		options.Look = explaining(&files)
	}
	prober, err := c.open(options)
	if err != nil {
		return err
	}
	defer prober.Close()
	all := []predicted{}
	failure := measureEach(ctx, prober, packages, io, func(pkg *probe.Package, r *probe.Result) error {
		one := predicted{Measured: r}
		if at, err := deployment.Open(pkg.Path); c.Architecture == "" && err == nil && at.Kind == deployment.ZIP && at.Architecture == "" && slices.Contains(args, pkg.Path) {
			fmt.Fprintf(io.err, "warning: %s: no program inside tells the architecture: %s, this machine's, is taken; --architecture %s for the other\n",
				pkg.Name, r.Architecture, map[arm.Architecture]arm.Architecture{arm.ARM64: arm.X8664, arm.X8664: arm.ARM64}[r.Architecture])
		}
		in := modelInput(pkg, r)
		p, err := calibration.Predict(in)
		if not, ok := errors.AsType[*model.NotPredicted](err); ok {
			one.NotPredicted, err = not.Error(), nil
		} else if err != nil {
			return err
		} else {
			one.Prediction, one.Cost = p, priceOf(p, cmp.Or(pkg.MemorySizeMB, defaultMemoryMB))
			if !ranked { // a table has no space for it
				one.Advice = explain.Page{Forecast: forecast(p, in, calibration), Files: files}.Advice()
			}
		}
		if c.Format == "text" && !ranked {
			if len(all) > 0 {
				fmt.Fprintln(io.out)
			}
			writePrediction(io.out, &one, columns(io.out))
		}
		all = append(all, one)
		return err
	})
	if ranked && len(all) == 1 { // all others failed
		writePrediction(io.out, &all[0], columns(io.out))
	}
	if c.Format == "text" && len(all) > 1 {
		if err := writeRanking(io.out, all, c.Against != "" && len(all) == len(args), columns(io.out)); err != nil {
			return fmt.Errorf("writing predictions: %w", err)
		}
	}
	if c.Format == "json" && len(all) > 0 {
		err := table.JSON(io.out, struct {
			Schema      int         `json:"schema"`
			Predictions []predicted `json:"predictions"`
		}{1, all})
		if err != nil {
			return err
		}
	}
	if failure == nil && missing > 0 {
		failure = fmt.Errorf("%w: %d of %d packages cannot be opened, as said above", errIncomplete, missing, missing+len(packages))
	}
	if failure == nil && len(guards) > 0 {
		if len(all) != len(args) {
			return errors.New("--against: name single packages, at one level of each factor")
		}
		return check(guards, all, io)
	}
	return failure
}

// modelInput returns a measurement as input of the model: counts at the read-ahead that it is calibrated for.
func modelInput(pkg *probe.Package, r *probe.Result) model.Input {
	reads := r.Reads[0]
	in := model.Input{Managed: r.Managed(), Architecture: r.Architecture, MemorySizeMB: cmp.Or(pkg.MemorySizeMB, defaultMemoryMB), ReadAheadKiB: reads.ReadAheadKiB, InitReadKiB: float64(reads.Next.PackageKiB),
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

// holds reports whether a limit holds, with the figures.
func holds(e compare.Expression, before, now *predicted) (text string, ok bool) {
	metric := guarded[e.Metric]
	was, is := metric.of(before), metric.of(now)
	if math.IsInf(was, 1) || math.IsInf(is, 1) {
		return fmt.Sprintf("%s: %s is not predicted, so %s cannot be held", now.Measured.Name, e.Metric, e.Text), false
	}
	limit, amount, unit := was+e.Limit, e.Limit, metric.unit
	if e.Relative {
		limit, amount, unit = was*(1+e.Limit), 100*e.Limit, "%"
	}
	return fmt.Sprintf("%s: %s %.*f -> %.*f %s (limit +%g %s)", now.Measured.Name, e.Metric, metric.digits, was, metric.digits, is, metric.unit, amount, unit), is <= limit
}

// check compares all packages with the last one, which --against named.
func check(guards []compare.Expression, all []predicted, io streams) (err error) {
	last := len(all) - 1
	for i := range all[:last] {
		for _, g := range guards {
			text, ok := holds(g, &all[last], &all[i])
			if ok {
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
	_, err := fmt.Fprint(out, t.Text(width, nil))
	return err
}
