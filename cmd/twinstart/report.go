package main

import (
	"context"
	"errors"
	"fmt"
	goio "io"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/bench/render"
	"github.com/twinstart/twinstart/bench/report"
)

// reportCommand renders records of earlier runs.
type reportCommand struct {
	analysisFlags
	Format     string   `default:"text" enum:"text,markdown,json,csv,html" help:"text, markdown, json, csv or html."`
	Out        string   `placeholder:"FILE" help:"Where to write; standard output by default."`
	MixSources bool     `help:"Allow lab and AWS records side by side; they are compared with their own kind only."`
	Records    []string `arg:"" help:"Files of records, folders of runs, or - for standard input."`
}

// Run reads all records first, so that a mistake leaves an earlier report as it was.
func (c *reportCommand) Run(_ context.Context, io streams) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	o.MixSources = c.MixSources
	var files []string
	for _, path := range c.Records {
		files = append(files, recordsIn(path))
	}
	r, err := report.Files(files, os.Stdin, o)
	if err != nil {
		return err
	}
	if c.Out != "" {
		return writeReport(c.Out, c.Format, r)
	}
	if err := render.Write(io.out, c.Format, r, render.Options{Colour: isTerminal(io.out)}); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// reportFiles are what a run leaves beside its records.
var reportFiles = map[string]string{"text": "report.txt", "markdown": "report.md", "json": "report.json", "csv": "report.csv", "html": "report.html"}

// renderRun renders a run's records in every form beside them, and prints the text.
func renderRun(dir string, o report.Options, io streams) error {
	r, err := report.Files([]string{filepath.Join(dir, recordsName)}, nil, o)
	if err != nil {
		return err
	}
	for format, name := range reportFiles {
		if err := writeReport(filepath.Join(dir, name), format, r); err != nil {
			return err
		}
	}
	if err := render.Write(io.out, "text", r, render.Options{Colour: isTerminal(io.out)}); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	fmt.Fprintf(io.out, "\nFiles: %s/{%s,run.json,report.txt,report.md,report.json,report.csv,report.html}\n", dir, recordsName)
	return nil
}

// writeReport replaces a file as a whole.
func writeReport(path, format string, r *report.Report) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	err = render.Write(f, format, r, render.Options{})
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

func isTerminal(w goio.Writer) bool {
	f, ok := w.(*os.File)
	return ok && render.Colour(f)
}
