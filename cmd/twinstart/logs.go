package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	goio "io"
	"iter"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/cloudlogs"
	"github.com/twinstart/twinstart/bench/record/importer"
	"github.com/twinstart/twinstart/bench/report"
)

// logsCommand reports on deployed functions from their logs.
type logsCommand struct {
	armFlags
	analysisFlags
	LogGroup []string `required:"" placeholder:"NAME" help:"Log group, such as /aws/lambda/f; may be repeated, an arm each."`
	Since    since    `default:"1h" help:"From when on to read, as aws logs tail takes it: 30m, 24h, 7d, 1w, or a time such as 2026-11-20T10:00:00Z."`
	Format   string   `default:"text" enum:"text,markdown,json,csv,html,records" help:"text, markdown, json, csv, html, or records: the raw ones, for twinstart report."`
}

// Run reads the logs and reports on them.
func (c *logsCommand) Run(ctx context.Context, io streams) error {
	options, err := c.analysisFlags.options()
	if err != nil {
		return err
	}
	cfg, err := account.InRegion(ctx, "")
	if err != nil {
		return err
	}
	c.Region = cmp.Or(c.Region, cfg.Region)
	io.warn(elsewhere("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS")...)
	o, err := c.armFlags.options("", "")
	if err != nil {
		return err
	}
	var records bytes.Buffer // a few hundred bytes an invocation
	w := record.NewWriter(&records)
	for _, group := range c.LogGroup {
		o.Log = strings.TrimPrefix(group, "/aws/lambda/")
		n, err := copyRecords(ctx, w, importer.Records(cloudlogs.Events(ctx, cfg, group, c.Since.Time), group, o), group, io.err)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("log group %s has no REPORT since %s: look further back with --since, or invoke the function",
				group, c.Since.Format(time.RFC3339))
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
	if err == nil && len(c.LogGroup) == 1 && len(r.Arms) == 1 { // with nothing to compare, the answers are about the one function
		r.Answers, err = report.Traffic(record.All(bytes.NewReader(text), c.LogGroup[0]), path.Base(c.LogGroup[0]))
	}
	if err != nil {
		return err
	}
	return c.print(io, c.Format, r, false)
}

// since is a time in the past, as in the AWS CLI's logs tail --since: a number and a unit (s, m, h, d, w) before now,
// an ISO 8601 time, or a Go duration such as 1h30m. See
// https://docs.aws.amazon.com/cli/latest/reference/logs/tail.html.
type since struct{ time.Time }

// UnmarshalText reads it.
func (s *since) UnmarshalText(text []byte) (err error) {
	s.Time, err = parseSince(string(text), time.Now())
	return err
}

var relative = regexp.MustCompile(`^([0-9]{1,5})([smhdw])$`)

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// isoLayouts are common forms of ISO 8601. Without a zone it is UTC, as in the AWS CLI.
var isoLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02T15:04:05Z0700",
	"2006-01-02", "2006-01-02 15:04:05", "20060102T150405Z0700", "20060102",
}

func parseSince(text string, now time.Time) (at time.Time, err error) {
	if m := relative.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // it has five digits at most
		at = now.Add(-time.Duration(n) * units[m[2]])
	} else if back, e := time.ParseDuration(text); e == nil {
		at = now.Add(-back)
	} else if !slices.ContainsFunc(isoLayouts, func(layout string) bool { at, err = time.Parse(layout, text); return err == nil }) {
		return at, fmt.Errorf("%q is not a time: want 30m, 24h, 7d or 1w, or an ISO time such as 2026-11-20T10:00:00Z", text)
	}
	if !at.Before(now) {
		return at, fmt.Errorf("%s is not in the past: want from when on to read, such as 1h", text)
	}
	return at, nil
}

// importCommand turns logs and published figures into records.
type importCommand struct {
	armFlags
	Format    string   `default:"logs" enum:"logs,lambda-perf,power-tuning,init-stats,ab" help:"What the files are: logs, lambda-perf, power-tuning, init-stats or ab."`
	Arm       string   `placeholder:"NAME" help:"Arm that the files are about, such as nethttp/zip; a glob of arms to keep with lambda-perf, which names its own."`
	Published string   `placeholder:"TEXT" help:"Who published the figures; such records are compared with their own kind only. Some formats say it themselves."`
	Files     []string `arg:"" help:"Files, or - for standard input."`
}

// armFlags are what logs do not say about a function.
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

// maxNamed is how many unusable parts are named; the rest are counted.
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
	records := importer.Read(format, record.Until(ctx, in), cmp.Or(map[string]string{"-": "stdin"}[name], name), o)
	_, err := copyRecords(ctx, w, records, name, messages)
	return err
}

// copyRecords writes records, and names what cannot be used of their source. It returns how many were written.
func copyRecords(ctx context.Context, w *record.Writer, from iter.Seq2[*record.Record, error], name string,
	messages goio.Writer) (n int, err error) {
	unusable := 0
	g, ctx := errgroup.WithContext(ctx)
	records := make(chan *record.Record, 1024)
	g.Go(func() error { // writing takes as long as reading
		for r := range records {
			n++
			if err := w.Write(*r); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		defer close(records)
		for r, err := range from {
			if _, part := errors.AsType[*record.LineError](err); part {
				if unusable++; unusable <= maxNamed {
					fmt.Fprintln(messages, "twinstart:", err)
				}
				continue
			}
			if err != nil {
				return err
			}
			select {
			case records <- r:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return n, err
	}
	if unusable > maxNamed {
		fmt.Fprintf(messages, "twinstart: %s: %d more that cannot be used\n", name, unusable-maxNamed)
	}
	return n, nil
}
