package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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
	LogGroup []string `required:"" placeholder:"NAME"`
	Since    since    `default:"1h"`
	Format   string   `default:"text" enum:"text,markdown,json,csv,html,records"`
}

// Run reads the logs and reports on them.
func (c *logsCommand) Run(ctx context.Context, std streams) error {
	options, err := c.analysisFlags.options()
	if err != nil {
		return err
	}
	cfg, err := account.InRegion(ctx, "")
	if err != nil {
		return err
	}
	c.Region = cmp.Or(c.Region, cfg.Region)
	std.warn(elsewhere("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS")...)
	o := c.armFlags.options("", "")
	var records bytes.Buffer // a few hundred bytes an invocation
	w := record.NewWriter(&records)
	for _, group := range c.LogGroup {
		o.Log = strings.TrimPrefix(group, "/aws/lambda/")
		events := cloudlogs.Events(ctx, cfg, group, c.Since.Time)
		n, err := copyRecords(w, importer.Records(events, group, o), group, std.err)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("log group %s has no REPORT since %s: look further back with --since, or invoke the function",
				group, c.Since.Format(time.RFC3339))
		}
	}
	if c.Format == "records" {
		_, err := records.WriteTo(std.out)
		return err
	}
	text := records.Bytes()
	r, err := report.Stream(bytes.NewReader(text), strings.Join(c.LogGroup, ", "), options)
	if err == nil && len(c.LogGroup) == 1 && len(r.Arms) == 1 { // nothing to compare: the answers are about one function
		r.Answers, err = report.Traffic(record.All(bytes.NewReader(text), c.LogGroup[0]), path.Base(c.LogGroup[0]))
	}
	if err != nil {
		return err
	}
	return c.print(std, c.Format, r, false)
}

// since is a time in the past, as in the AWS CLI's logs tail --since: a number and a unit (s, m, h, d, w) before now,
// an ISO 8601 time, or a Go duration such as 1h30m. See
// https://docs.aws.amazon.com/cli/latest/reference/logs/tail.html.
type since struct{ time.Time }

func (s *since) UnmarshalText(text []byte) (err error) {
	s.Time, err = parseSince(string(text), time.Now())
	return err
}

var relative = regexp.MustCompile(`^([0-9]{1,5})([smhdw])$`)

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": day, "w": 7 * day}

const day = 24 * time.Hour

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
	} else if !slices.ContainsFunc(isoLayouts, func(layout string) bool {
		at, err = time.Parse(layout, text)
		return err == nil
	}) {
		return at, fmt.Errorf("%q is not a time: want 30m, 24h, 7d or 1w, or an ISO time such as 2026-11-20T10:00:00Z", text)
	}
	if !at.Before(now) {
		return at, fmt.Errorf("%s is not in the past: want the time of the first log, such as 1h for an hour ago", text)
	}
	return at, nil
}
