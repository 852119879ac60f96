package main

import (
	"context"
	"fmt"
	goio "io"
	"os"
	"strings"
	"time"

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

// open makes a prober. It measures nothing yet.
func (f probeFlags) open(options probe.Options) (*probe.Prober, error) {
	options.BaseRoot, options.StateDir, options.Patience = f.BaseRoot, f.State, patience
	var err error
	if options.Event, err = readEvent(f.Event); err != nil {
		return nil, err
	}
	return probe.New(options)
}

// explaining returns a probe.Options.Look that keeps the explanations of the package's files.
func explaining(files *[]*explain.Explanation) func(func(string) (*os.File, error), *probe.Result) error {
	return func(open func(string) (*os.File, error), r *probe.Result) (err error) {
		*files, err = explain.Package(r, open)
		return err
	}
}

// packages opens what arguments name. It prints what cannot be opened, and goes on with the others.
func (f probeFlags) packages(ctx context.Context, args []string, io streams) (out []*probe.Package, missing int, err error) {
	found, err := resolve(ctx, f.assemblyFlags, f.variantFlags, args, io)
	if err != nil {
		return nil, 0, err
	}
	for _, n := range found.failed {
		fmt.Fprintf(io.err, "%s: %s\n", n.Arm, n.Why)
	}
	for _, function := range found.functions {
		p, err := probe.Of(function)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, p)
	}
	return out, len(found.failed), nil
}

// measureEach measures packages one after another. It prints which cannot be measured, and goes on with the others.
func measureEach(ctx context.Context, p *probe.Prober, packages []*probe.Package, io streams, each func(*probe.Package, *probe.Result) error) error {
	var failures []error
	for _, pkg := range packages {
		result, err := p.Measure(ctx, pkg)
		if err != nil && strings.Contains(err.Error(), "Runtime.NoSuchHandler") && strings.Contains(err.Error(), "handler.sh does not exist") {
			err = fmt.Errorf("%s has a bootstrap and no handler, as a layer does: give what twinstart package makes of a handler's folder, without --layer", pkg.Name)
		}
		if err == nil {
			err = each(pkg, result)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failures = append(failures, err)
			if len(packages) > 1 {
				fmt.Fprintf(io.err, "%s: %v\n", pkg.Name, err)
			}
		}
	}
	if len(failures) > 0 && len(failures) < len(packages) {
		return fmt.Errorf("%w: %d of %d packages could not be measured, as said above", errIncomplete, len(failures), len(packages))
	}
	return oneOf(failures)
}

// explainCommand says what a package reads at a cold start, and which code caused it.
type explainCommand struct {
	probeFlags
	Model  string `placeholder:"FILE" help:"Calibration for the predicted ms; the built-in one by default."`
	Format string `default:"text" enum:"text,json" help:"text or json."`
	HTML   string `placeholder:"FILE" help:"Also write a page with treemaps; it needs nothing else."`
	Top    int    `default:"20" help:"How many lines a table has at most."`
	Path   string `arg:"" name:"path|arm" help:"Bootstrap, ZIP, folder, image tarball (docker save), or arm of the assembly."`
}

// Run measures the package and explains each of its files.
func (c *explainCommand) Run(ctx context.Context, io streams) error {
	calibration, err := model.Load(c.Model)
	if err != nil {
		return err
	}
	packages, _, err := c.packages(ctx, []string{c.Path}, io)
	if err != nil {
		return err
	}
	if len(packages) > 1 {
		return fmt.Errorf("%s names %d functions: explain takes one", c.Path, len(packages))
	}
	var files []*explain.Explanation
	prober, err := c.open(probe.Options{Look: explaining(&files)})
	if err != nil {
		return err
	}
	defer prober.Close()
	r, err := prober.Measure(ctx, packages[0])
	if err != nil {
		return err
	}
	in := modelInput(packages[0], r)
	managed := in.Managed
	in.Managed = "" // the cost of pages is known, though nothing is predicted for the whole
	p, err := calibration.Predict(in)
	if err != nil {
		return err
	}
	in.Managed = managed
	page := explain.Page{Name: r.Name, Forecast: forecast(p, in, calibration), Files: files}
	if c.HTML != "" {
		if err := archive.Replace(c.HTML, 0o644, func(w goio.Writer) error { return explain.HTML(w, page) }); err != nil {
			return fmt.Errorf("writing an explanation: %w", err)
		}
	}
	if c.Format == "json" {
		return table.JSON(io.out, struct {
			Schema int                    `json:"schema"`
			Name   string                 `json:"name"`
			Advice []explain.Advice       `json:"advice"`
			Files  []*explain.Explanation `json:"files"`
		}{1, r.Name, page.Advice(), files})
	}
	io.warn(r.Warnings...)
	width := columns(io.out)
	writeAdvice(io.out, page.Advice(), width)
	for _, file := range files {
		fmt.Fprintf(io.out, "\n%s\n", file.About())
		for _, note := range file.Notes {
			fmt.Fprint(io.out, table.Wrap(width, "note: ", note))
		}
		for _, t := range page.Forecast.Tables(file, c.Top) {
			fmt.Fprint(io.out, t.Text(width, nil))
		}
	}
	fmt.Fprint(io.out, "\n", table.Wrap(width, "", page.Forecast.Footnote()))
	return nil
}

// forecast returns the cost of each KiB from a prediction.
func forecast(p *model.Prediction, in model.Input, c *model.Calibration) explain.Forecast {
	f := explain.Forecast{MsPerKiB: p.MsPerKiB, Base: c.Base.Share, CPU: p.CPUBeyondMs}
	if in.Managed == "" {
		f.Init = &[3]float64{p.ZipInit.Ms, p.ZipInit.Low, p.ZipInit.High}
		f.Fixed = p.ZipInit.Ms - p.CPUBeyondMs - p.MsPerKiB*(in.InitReadKiB+f.Base*in.BaseReadKiB)
	}
	return f
}

func writeAdvice(w goio.Writer, advice []explain.Advice, width int) {
	for _, a := range advice {
		fmt.Fprint(w, table.Wrap(width, "  ", a.Question+" "+a.Answer))
	}
}
