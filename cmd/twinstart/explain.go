package main

import (
	"context"
	"fmt"
	"io"

	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
)

// explainCommand says what a package reads at a cold start, and which code caused it.
type explainCommand struct {
	probeFlags
	Model string `placeholder:"FILE"`
	HTML  string `placeholder:"FILE"`
	Path  string `arg:"" name:"path|arm"`
}

// Run measures the package and explains each of its files.
func (c *explainCommand) Run(ctx context.Context, std streams) error {
	calibration, err := model.Load(c.Model)
	if err != nil {
		return err
	}
	one := func(packages []*probe.Package) error {
		if len(packages) > 1 {
			return fmt.Errorf("%s names %d functions, but explain takes one: name one of them", c.Path, len(packages))
		}
		return nil
	}
	each := func(pkg *probe.Package, r *probe.Result, files []*explain.Explanation) error {
		_, page, err := predict(calibration, pkg, r, files)
		if err == nil {
			err = c.write(page, r, std)
		}
		return err
	}
	return c.measure(ctx, []string{c.Path}, one, std, each)
}

// write writes an explanation in the forms that were asked for.
func (c *explainCommand) write(page explain.Page, r *probe.Result, std streams) error {
	if c.HTML != "" {
		if err := archive.Replace(c.HTML, 0o644, func(w io.Writer) error { return explain.HTML(w, page) }); err != nil {
			return err
		}
	}
	std.warn(r.Warnings...)
	width := columns(std.out)
	writeAdvice(std.out, page.Advice(), width)
	for _, file := range page.Files {
		fmt.Fprintf(std.out, "\n%s\n", file.About())
		for _, note := range file.Notes {
			fmt.Fprint(std.out, table.Wrap(width, "note: ", note))
		}
		for _, t := range page.Forecast.Tables(file, tableLines) {
			fmt.Fprint(std.out, t.Text(width))
		}
	}
	fmt.Fprint(std.out, "\n", table.Wrap(width, "", page.Forecast.Footnote()))
	return nil
}

// tableLines is how many lines a table has at most.
const tableLines = 20

func writeAdvice(w io.Writer, advice []explain.Advice, width int) {
	for _, a := range advice {
		fmt.Fprint(w, table.Wrap(width, "  ", a.Question+" "+a.Answer))
	}
}
