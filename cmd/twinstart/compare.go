package main

import (
	"context"
	"fmt"
	goio "io"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/compare"
)

// compareCommand compares a run with an earlier one.
type compareCommand struct {
	Format     string   `default:"text" enum:"text,markdown,json,csv" help:"text, markdown, json or csv."`
	Out        string   `placeholder:"FILE" help:"Where to write; standard output by default."`
	FailOn     []string `sep:"," placeholder:"EXPR,..." help:"Exit with status 1 where NEW breaks a limit, such as 'init>5%'; may be repeated."`
	MixSources bool     `help:"Compare lab with AWS records all the same."`
	Old        string   `arg:"" help:"Records of the earlier run: a file, or the folder of a run."`
	New        string   `arg:"" help:"Records of the later run."`
}

// Run compares. A broken limit is a finding.
func (c *compareCommand) Run(ctx context.Context, io streams) error {
	var expressions []compare.Expression
	for _, text := range c.FailOn {
		e, err := compare.ParseExpression(text)
		if err != nil {
			return fmt.Errorf("--fail-on: %w", err)
		}
		expressions = append(expressions, e)
	}
	options := report.Options{MixSources: c.MixSources, Context: ctx}
	var sides [2]*report.Report
	for i, path := range []string{c.Old, c.New} {
		files, err := recordsOf([]string{path})
		if err == nil {
			sides[i], err = report.Files(files, os.Stdin, options)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", []string{"OLD", "NEW"}[i], err)
		}
	}
	result, err := compare.Reports(sides[0], sides[1], compare.Options{MixSources: c.MixSources})
	if err != nil {
		return err
	}
	unjudged := result.Check(expressions)
	if err := io.write(c.Out, func(w goio.Writer) error { return compare.Write(w, c.Format, result) }); err != nil {
		return fmt.Errorf("writing the comparison: %w", err)
	}
	for _, f := range result.Failed {
		fmt.Fprintln(io.err, "twinstart: failed:", f)
	}
	switch {
	case unjudged != nil:
		return fmt.Errorf("--fail-on: %w", unjudged)
	case len(result.Failed) > 0:
		return errFinding
	}
	return nil
}

// recordsOf returns the files of records for paths.
func recordsOf(paths []string) (files []string, err error) {
	for _, path := range paths {
		file, err := recordsIn(path)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// recordsIn returns the file of records in a run's folder, or beside its report. It returns any other path unchanged.
func recordsIn(path string) (string, error) {
	dir := path
	if path == "-" { // standard input, whatever lies here
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
		for i := range runs {
			runs[i] = filepath.Dir(runs[i])
		}
		return "", fmt.Errorf("%s holds runs: name one of %s", path, strings.Join(runs, ", "))
	}
	return "", fmt.Errorf("%s has no %s beside it: name the folder of a run", path, recordsName)
}
