package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	goio "io"
	"os"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/importer"
)

// importCommand turns what others measured into records.
type importCommand struct {
	armFlags
	Format    string   `default:"logs" enum:"logs,lambda-perf,power-tuning,init-stats,report-lines,insights-csv,insights-json" help:"What the files are: logs (also called report-lines, insights-csv, insights-json), lambda-perf, power-tuning or init-stats."`
	Arm       string   `placeholder:"NAME" help:"Arm that the files are about, such as nethttp/zip; a glob of arms to keep with lambda-perf, which names its own."`
	Published string   `placeholder:"TEXT" help:"Who published the figures; such records are compared with their own kind only. Some formats say it themselves."`
	Files     []string `arg:"" help:"Files, or - for standard input."`
}

// armFlags are what logs do not say of a function.
type armFlags struct {
	Region       string `placeholder:"REGION" help:"AWS region, for prices."`
	Architecture string `placeholder:"ARCH" help:"arm64 or x86_64, for prices."`
}

func (f armFlags) options(name, published string) (o importer.Options, err error) {
	o = importer.Options{Identity: arm.Identity{Arm: name}, Region: f.Region, Published: published}
	if f.Architecture != "" {
		if o.Architecture, err = arm.ParseArchitecture(f.Architecture); err != nil {
			return o, fmt.Errorf("--architecture: %w", err)
		}
	}
	return o, nil
}

// Help is printed below the flags.
func (importCommand) Help() string {
	return `Records go to standard output. A part of a file that cannot be used is named on standard error, the rest is imported.
  logs           Lambda's log lines, text or JSON, told by their content: aws logs tail in each format, sam logs, filter-log-events,
                 get-log-events, the console's CSV, exports to S3, documents of subscriptions and Firehose; Logs Insights as CSV or
                 JSON: @message, or @timestamp, @requestId, @logStream, @duration, @billedDuration, @initDuration, @maxMemoryUsed,
                 @memorySize, or record.metrics.* of JSON logs. Packed by gzip or not.
  lambda-perf    data/YYYY/YYYY-MM-DD.json of maxday/lambda-perf: Init Durations of each runtime, labelled published
  power-tuning   output of AWS Lambda Power Tuning: averages, shown as published figures
  init-stats     {"init_count", "init_average_ms", "p20_ms", ...}: percentiles, shown as published figures

Examples:
  aws logs tail /aws/lambda/f --since 1d | twinstart import --arm f/zip - >f.jsonl
  twinstart import --format lambda-perf --arm 'go*/*' 2026-08-22.json >go.jsonl
  twinstart report f.jsonl go.jsonl`
}

// Run imports.
func (c *importCommand) Run(ctx context.Context, io streams) error {
	o, err := c.options(c.Arm, c.Published)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(io.out)
	w := record.NewWriter(out)
	for _, name := range c.Files {
		if err := importFile(ctx, w, c.Format, name, o, io.err); err != nil {
			return errors.Join(out.Flush(), err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing records: %w", err)
	}
	return nil
}

// maxNamed is how many parts that cannot be used are named; the rest are counted.
const maxNamed = 20

func importFile(ctx context.Context, w *record.Writer, format, name string, o importer.Options, messages goio.Writer) error {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("importing: %w", err)
		}
		defer f.Close()
		in = f
	}
	unusable := 0
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	records, written := make(chan []record.Record, 4), make(chan error, 1)
	go func() { // writing is as much work as reading
		var err error
		for batch := range records {
			for _, r := range batch {
				if err == nil {
					err = w.Write(r)
				}
			}
			if err != nil {
				cancel(err)
			}
		}
		written <- err
	}()
	var batch []record.Record
	var failed error
	for r, err := range importer.Read(format, interruptible{ctx, in}, cmp.Or(map[string]string{"-": "stdin"}[name], name), o) {
		var line *record.LineError
		switch {
		case errors.As(err, &line):
			if unusable++; unusable <= maxNamed {
				fmt.Fprintln(messages, "twinstart:", err)
			}
		case err != nil:
			failed = err
		default:
			if batch = append(batch, *r); len(batch) == cap(batch) && len(batch) >= 256 {
				records <- batch
				batch = make([]record.Record, 0, 256)
			}
		}
	}
	records <- batch
	close(records)
	if err := cmp.Or(<-written, failed); err != nil {
		return err
	}
	if unusable > maxNamed {
		fmt.Fprintf(messages, "twinstart: %s: %d more that cannot be used\n", name, unusable-maxNamed)
	}
	return nil
}

// interruptible is a stream that ends when its context does.
type interruptible struct {
	ctx context.Context
	goio.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
