package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/term"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show"
	"github.com/twinstart/twinstart/packages/archive"
)

// reportCommand renders records of earlier runs.
type reportCommand struct {
	analysisFlags
	Format     string `default:"text" enum:"text,markdown,json,csv,html,all"`
	Out        string `placeholder:"FILE"`
	Phases     bool
	MixSources bool
	Records    []string `arg:""`
}

// Run reads all records before it writes, so that a mistake does not damage an earlier report.
func (c *reportCommand) Run(ctx context.Context, std streams) error {
	if c.Format == "all" && c.Out == "" {
		return errors.New("--format all: name the folder for the files with --out")
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	o.MixSources, o.Context = c.MixSources, ctx
	r, err := reportOn(c.Records, o)
	if err != nil {
		return err
	}
	if c.Phases && !r.HasPhases() {
		return errors.New("--phases: no record has the times of phases: measure with twinstart run --phases, and with " +
			"arms of a bootstrap that times itself (rawsyscall)")
	}
	if c.Format == "all" {
		return writeReports(c.Out, r, c.Phases)
	}
	if c.Out != "" {
		return writeReport(c.Out, c.Format, r, c.Phases)
	}
	return c.print(std, c.Format, r, c.Phases)
}

// print writes a report to standard output. As text it writes the answers and the best arms only, unless asked for
// all.
func (f analysisFlags) print(std streams, format string, r *report.Report, phases bool) error {
	o := show.Options{Phases: phases, Brief: !f.Full && !phases, Width: columns(std.out)}
	return show.Write(std.out, format, r, o)
}

// columns returns the width of a terminal, or COLUMNS; 0 if unknown.
func columns(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	width, _, _ := term.GetSize(int(fileOf(w).Fd()))
	return width
}

// reportFiles are the reports that a run writes beside its records.
var reportFiles = map[string]string{"text": "report.txt", "markdown": "report.md", "json": "report.json",
	"csv": "report.csv", "html": "report.html"}

// renderRun writes the reports of a run beside its records and prints the text. It shows phases if the run asked for
// them.
func (f analysisFlags) renderRun(dir string, o report.Options, phases bool, std streams) (*report.Report, error) {
	r, err := report.Files([]string{filepath.Join(dir, recordsName)}, nil, o)
	if err != nil {
		return nil, err
	}
	if err := writeReports(dir, r, phases); err != nil {
		return nil, err
	}
	if err := f.print(std, "text", r, phases); err != nil {
		return nil, err
	}
	fmt.Fprintf(std.out, "\nFiles: %s/{report.{html,txt,md,json,csv},%s,run.json}\n", dir, recordsName)
	return r, nil
}

// writeReports writes every form into a folder.
func writeReports(dir string, r *report.Report, phases bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder for reports: %w", err)
	}
	for format, name := range reportFiles {
		if err := writeReport(filepath.Join(dir, name), format, r, phases); err != nil {
			return err
		}
	}
	return nil
}

// writeReport replaces a file as a whole.
func writeReport(path, format string, r *report.Report, phases bool) error {
	return archive.Replace(path, 0o644, func(w io.Writer) error {
		return show.Write(w, format, r, show.Options{Phases: phases})
	})
}
