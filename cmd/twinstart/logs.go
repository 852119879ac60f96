package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/cloudlogs"
	"github.com/twinstart/twinstart/bench/record/importer"
	"github.com/twinstart/twinstart/bench/report"
)

// logsCommand reports on functions that run already, from their logs.
type logsCommand struct {
	armFlags
	analysisFlags
	LogGroup []string `required:"" placeholder:"NAME" help:"Log group, such as /aws/lambda/f; may be repeated, an arm each."`
	Arm      string   `placeholder:"NAME" help:"Arm that the log group is about; its name by default."`
	Since    since    `default:"1h" help:"From when on to read, as aws logs tail takes it: 30m, 24h, 7d, 1w, or a time such as 2026-11-20T10:00:00Z."`
	Format   string   `default:"text" enum:"text,markdown,json,csv,html,records" help:"text, markdown, json, csv, html, or records: the raw ones, for twinstart report."`
}

// Help is printed below the flags.
func (logsCommand) Help() string {
	return `Region, credentials and endpoint are taken from where every AWS tool does (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL). It needs
logs:FilterLogEvents and changes nothing.

Examples:
  twinstart logs --log-group /aws/lambda/f --since 10d          are its cold starts worth caring about, and what next
  twinstart logs --log-group /aws/lambda/f --log-group /aws/lambda/g --format markdown
  twinstart logs --log-group /aws/lambda/f --format records >f.jsonl`
}

// Run reads, and reports.
func (c *logsCommand) Run(ctx context.Context, io streams) error {
	if c.Arm != "" && len(c.LogGroup) > 1 {
		return errors.New("--arm names one arm, and there are several log groups: leave it out, or read them one by one")
	}
	options, err := c.analysisFlags.options()
	if err != nil {
		return err
	}
	client, region, err := cloudlogs.NewClient(ctx)
	if err != nil {
		return err
	}
	c.Region = cmp.Or(c.Region, region)
	if endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"), os.Getenv("AWS_ENDPOINT_URL")); endpoint != "" {
		fmt.Fprintf(io.err, "warning: AWS_ENDPOINT_URL names %s: these are the figures of whatever answers there, not necessarily of AWS\n", endpoint)
	}
	var records bytes.Buffer // a few hundred bytes an invocation
	w := record.NewWriter(&records)
	for _, group := range c.LogGroup {
		if err := c.read(ctx, client, group, w, io); err != nil {
			return err
		}
	}
	if c.Format == "records" {
		if _, err := records.WriteTo(io.out); err != nil {
			return fmt.Errorf("writing records: %w", err)
		}
		return nil
	}
	text := records.Bytes()
	r, err := report.Stream(bytes.NewReader(text), strings.Join(c.LogGroup, ", "), options)
	if err == nil && len(c.LogGroup) == 1 { // nothing to compare with: what there is to say of the one
		r.Answers, err = report.Traffic(record.All(bytes.NewReader(text), c.LogGroup[0]), path.Base(c.LogGroup[0]))
	}
	if err != nil {
		return err
	}
	return c.print(io, c.Format, r, false)
}

func (c *logsCommand) read(ctx context.Context, client cloudlogs.API, group string, w *record.Writer, io streams) error {
	o, err := c.armFlags.options(cmp.Or(c.Arm, strings.TrimPrefix(group, "/aws/lambda/")), "")
	if err != nil {
		return err
	}
	n := 0
	for r, err := range importer.Records(cloudlogs.Events(ctx, client, group, c.Since.Time), group, o) {
		var line *record.LineError
		switch {
		case errors.As(err, &line):
			fmt.Fprintf(io.err, "twinstart: %s: %v\n", group, line.Err)
		case err != nil:
			return err
		default:
			n++
			if err := w.Write(*r); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		return fmt.Errorf("log group %s has no REPORT since %s: look further back with --since, or invoke the function", group, c.Since.Format(time.RFC3339))
	}
	return nil
}
