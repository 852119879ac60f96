package main

import (
	"context"
	"encoding/json"
	"fmt"
	goio "io"
	"os"

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
	prober, err := c.open(probe.Options{Look: func(open func(string) (*os.File, error), r *probe.Result) (err error) {
		files, err = explain.Package(r, open)
		return err
	}})
	if err != nil {
		return err
	}
	defer prober.Close()
	r, err := prober.Measure(ctx, packages[0])
	if err != nil {
		return err
	}
	in := modelInput(packages[0], r)
	in.Managed = "" // pages cost what they cost, though nothing is said of the whole
	p, err := calibration.Predict(in)
	if err != nil {
		return err
	}
	page := explain.Page{Name: r.Name, MsPerKiB: p.MsPerKiB, BaseShare: calibration.Base.Share, Files: files}
	if c.HTML != "" {
		if err := writeExplanation(c.HTML, page); err != nil {
			return err
		}
	}
	if c.Format == "json" {
		out := json.NewEncoder(io.out)
		out.SetIndent("", "  ")
		err := out.Encode(struct {
			Schema int                    `json:"schema"`
			Name   string                 `json:"name"`
			Files  []*explain.Explanation `json:"files"`
		}{1, r.Name, files})
		if err != nil {
			return fmt.Errorf("writing an explanation: %w", err)
		}
		return nil
	}
	for _, warning := range r.Warnings {
		fmt.Fprintln(io.err, "warning:", warning)
	}
	for _, file := range files {
		c.write(io.out, file, page.Ms(file))
	}
	fmt.Fprintf(io.out, "* predicted for AWS as ZIP, by the calibration's cost of a KiB (of the base's files %.0f %% of it); not measured there\n", 100*page.BaseShare)
	return nil
}

// write writes one file for people.
func (c *explainCommand) write(w goio.Writer, e *explain.Explanation, msPerKiB float64) {
	of := ""
	if !e.Package {
		of = " (of the base)"
	}
	fmt.Fprintf(w, "%s%s: %d KiB read before GET /next, %d wanted, of %d\n", e.File, of, e.ReadKiB, e.TouchedKiB, e.SizeKiB)
	for _, note := range e.Notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
	if len(e.Imports) > 0 {
		c.table(w, "by import", e.Imports, msPerKiB)
	}
	c.table(w, "on whose account", e.Owners, msPerKiB)
	if len(e.Sections) > 1 {
		c.table(w, "where in the file", e.Sections, msPerKiB)
	}
}

func (c *explainCommand) table(w goio.Writer, title string, items []*explain.Item, msPerKiB float64) {
	fmt.Fprintf(w, "  %-44s %8s %8s %8s\n", title, "KiB read", "wanted", "ms*")
	rest, n, total := 0, 0, 0
	for _, item := range items {
		total += item.ReadKiB
	}
	for i, item := range items {
		if i >= c.Top {
			rest, n = rest+item.ReadKiB, n+1
			continue
		}
		fmt.Fprintf(w, "  %-44s %8d %8d %8.2f", item.Name, item.ReadKiB, item.TouchedKiB, msPerKiB*float64(item.ReadKiB))
		if item.Hint != "" {
			fmt.Fprintf(w, "  %s", item.Hint)
		}
		fmt.Fprintln(w)
		for j, part := range item.Parts {
			if j < 3 && len(item.Parts) > 1 && 20*item.ReadKiB >= total && 10*part.ReadKiB >= item.ReadKiB {
				fmt.Fprintf(w, "    %-42s %8d %8d\n", part.Name, part.ReadKiB, part.TouchedKiB)
			}
		}
	}
	if n > 0 {
		fmt.Fprintf(w, "  %-44s %8d\n", fmt.Sprintf("%d more", n), rest)
	}
}

func writeExplanation(path string, p explain.Page) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing an explanation: %w", err)
	}
	defer f.Close()
	if err := explain.HTML(f, p); err != nil {
		return err
	}
	return f.Close()
}
