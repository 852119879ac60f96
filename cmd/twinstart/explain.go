package main

import (
	"cmp"
	"context"
	"fmt"
	goio "io"
	"os"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
)

// probeFlags are the options of measuring single packages.
type probeFlags struct {
	assemblyFlags
	variantFlags
	BaseRoot string `group:"lab" placeholder:"DIR" help:"Unpacked root file system of provided:al2023, in place of this machine's /usr."`
	State    string `group:"lab" placeholder:"DIR" help:"Folder for what is prepared; a temporary one by default."`
	Event    string `group:"what" placeholder:"FILE" help:"Event of the first invocation: a file, or - for standard input; {} by default."`
}

// patience is shorter than a run's, because a user waits for the answer.
const patience = 10 * time.Second

// measure measures what arguments name, one package after another, if fit accepts all of them. It prints which cannot
// be opened or measured, and goes on with the others.
func (f probeFlags) measure(ctx context.Context, args []string, fit func([]*probe.Package) error, io streams,
	each func(*probe.Package, *probe.Result, []*explain.Explanation) error) error {
	found, err := resolve(ctx, f.assemblyFlags, f.variantFlags, args, io)
	if err != nil {
		return err
	}
	var packages []*probe.Package
	for _, function := range found.functions {
		p, err := probe.Of(function)
		if err != nil {
			return err
		}
		packages = append(packages, p)
	}
	if err := fit(packages); err != nil {
		return err
	}
	var files []*explain.Explanation
	options := probe.Options{BaseRoot: f.BaseRoot, StateDir: f.State, Patience: patience}
	options.Look = func(open func(string) (*os.File, error), r *probe.Result) (err error) {
		files, err = explain.Package(r, open)
		return err
	}
	if options.Event, err = readEvent(f.Event); err != nil {
		return err
	}
	prober, err := probe.New(options)
	if err != nil {
		return err
	}
	defer prober.Close()
	failed := found.failed
	var failures []error
	for _, pkg := range packages {
		r, err := prober.Measure(ctx, pkg)
		if err == nil {
			err = each(pkg, r, files)
		} else if strings.Contains(err.Error(), "Runtime.NoSuchHandler") && strings.Contains(err.Error(), "handler.sh does not exist") {
			err = fmt.Errorf("%s has a bootstrap and no handler, as a layer does: give what twinstart package makes of a handler's folder, without --layer", pkg.Name)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed, failures = append(failed, arm.NotMeasured{Arm: pkg.Name, Why: err.Error()}), append(failures, err)
		}
	}
	if len(failed) == 0 || len(failed) == 1 && len(packages) == 1 {
		return oneOf(failures)
	}
	for _, n := range failed {
		fmt.Fprintf(io.err, "%s: %s\n", n.Arm, n.Why)
	}
	if len(failures) == len(packages) {
		return oneOf(failures)
	}
	return fmt.Errorf("%w: %d of %d packages could not be measured, as said above", errIncomplete, len(failed),
		len(packages)+len(found.failed))
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

// explainCommand says what a package reads at a cold start, and which code caused it.
type explainCommand struct {
	probeFlags
	Model string `placeholder:"FILE" help:"Calibration for the predicted ms; the built-in one by default."`
	HTML  string `placeholder:"FILE" help:"Also write a page with treemaps; it needs nothing else."`
	Path  string `arg:"" name:"path|arm" help:"Bootstrap, ZIP, folder, image tarball (docker save), or arm of the assembly."`
}

// Run measures the package and explains each of its files.
func (c *explainCommand) Run(ctx context.Context, io streams) error {
	calibration, err := model.Load(c.Model)
	if err != nil {
		return err
	}
	one := func(packages []*probe.Package) error {
		if len(packages) > 1 {
			return fmt.Errorf("%s names %d functions: explain takes one", c.Path, len(packages))
		}
		return nil
	}
	return c.measure(ctx, []string{c.Path}, one, io, func(pkg *probe.Package, r *probe.Result, files []*explain.Explanation) error {
		_, page, err := predict(calibration, pkg, r, files)
		if err == nil {
			err = c.write(page, r, io)
		}
		return err
	})
}

// write writes an explanation in the forms that were asked for.
func (c *explainCommand) write(page explain.Page, r *probe.Result, io streams) error {
	if c.HTML != "" {
		if err := archive.Replace(c.HTML, 0o644, func(w goio.Writer) error { return explain.HTML(w, page) }); err != nil {
			return fmt.Errorf("writing an explanation: %w", err)
		}
	}
	io.warn(r.Warnings...)
	width := columns(io.out)
	writeAdvice(io.out, page.Advice(), width)
	for _, file := range page.Files {
		fmt.Fprintf(io.out, "\n%s\n", file.About())
		for _, note := range file.Notes {
			fmt.Fprint(io.out, table.Wrap(width, "note: ", note))
		}
		for _, t := range page.Forecast.Tables(file, tableLines) {
			fmt.Fprint(io.out, t.Text(width))
		}
	}
	fmt.Fprint(io.out, "\n", table.Wrap(width, "", page.Forecast.Footnote()))
	return nil
}

// tableLines is how many lines a table has at most.
const tableLines = 20

func writeAdvice(w goio.Writer, advice []explain.Advice, width int) {
	for _, a := range advice {
		fmt.Fprint(w, table.Wrap(width, "  ", a.Question+" "+a.Answer))
	}
}
