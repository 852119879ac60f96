package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/compare"
)

// compareCommand compares a run with an earlier one.
type compareCommand struct {
	Format     string               `default:"text" enum:"text,markdown,json,csv"`
	Out        string               `placeholder:"FILE"`
	FailOn     []compare.Expression `sep:"," placeholder:"EXPR"`
	MixSources bool
	Old        string `arg:""`
	New        string `arg:""`
}

// Run compares. A broken limit is a finding.
func (c *compareCommand) Run(ctx context.Context, std streams) error {
	options := report.Options{MixSources: c.MixSources, Context: ctx}
	var sides [2]*report.Report
	for i, path := range []string{c.Old, c.New} {
		var err error
		if sides[i], err = reportOn([]string{path}, options); err != nil {
			return fmt.Errorf("%s: %w", []string{"OLD", "NEW"}[i], err)
		}
	}
	result, err := compare.Reports(sides[0], sides[1], c.MixSources)
	if err != nil {
		return err
	}
	unjudged := result.Check(c.FailOn)
	if err := std.write(c.Out, func(w io.Writer) error { return compare.Write(w, c.Format, result) }); err != nil {
		return fmt.Errorf("writing the comparison: %w", err)
	}
	for _, f := range result.Failed {
		fmt.Fprintln(std.err, "twinstart: failed:", f)
	}
	switch {
	case unjudged != nil:
		return fmt.Errorf("--fail-on: %w", unjudged)
	case len(result.Failed) > 0:
		return errFinding
	}
	return nil
}

// reportOn reports on records: each path is a file, the folder of a run, or "-" for standard input.
func reportOn(paths []string, o report.Options) (*report.Report, error) {
	var files []string
	for _, path := range paths {
		file, err := recordsIn(path)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return report.Files(files, os.Stdin, o)
}

// recordsIn returns the file of records in a run's folder, or beside its report. It returns any other path unchanged.
func recordsIn(path string) (string, error) {
	dir := path
	if path == "-" { // standard input, even if there is a file of this name
		return path, nil
	}
	if filepath.Base(path) == reportFiles["json"] {
		dir = filepath.Dir(path)
	} else if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return path, nil //nolint:nilerr // opening it gives the error
	}
	file := filepath.Join(dir, recordsName)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if runs, err := filepath.Glob(filepath.Join(dir, "*", recordsName)); err == nil && len(runs) > 0 {
		return "", fmt.Errorf("%s holds the folders of runs: name one of %s", path, strings.Join(runs, ", "))
	}
	return "", fmt.Errorf("there is no %s: name the folder of a run, or its %s", file, recordsName)
}
