package main

import (
	"context"
	"fmt"
	goio "io"

	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
)

// explainCommand says what a package reads at a cold start, and on whose account.
type explainCommand struct {
	probeFlags
	Model  string `placeholder:"FILE" help:"Calibration for the predicted ms; the built-in one by default."`
	Format string `default:"text" enum:"text,json" help:"text or json."`
	HTML   string `placeholder:"FILE" help:"Also write a page with treemaps; it needs nothing else."`
	Top    int    `default:"20" help:"How many lines a table has at most."`
	Path   string `arg:"" name:"path|arm" help:"Bootstrap, ZIP, folder, image tarball (docker save), or arm of the assembly."`
}

// Help is printed below the flags.
func (explainCommand) Help() string {
	return `What is read costs, so what need not be read is what to cut: an import that runs at start-up, a table, a dynamic library.
  twinstart explain function.zip --html explain.html`
}

// Run measures the package and explains each of its files.
func (c *explainCommand) Run(ctx context.Context, io streams) error {
	calibration, err := loadModel(c.Model)
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
	in.Managed = "" // pages cost what they cost, though nothing is said of the whole
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
	for _, warning := range r.Warnings {
		fmt.Fprintln(io.err, "warning:", warning)
	}
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

// forecast is what a prediction says of each KiB.
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
