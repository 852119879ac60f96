//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/probe"
)

// Report is what --format json prints. Absent is not measured, never 0.
type Report struct {
	Seed     uint64    `json:"seed"`
	Rounds   int       `json:"rounds"`
	Rows     []Row     `json:"rows"`
	Goals    []Finding `json:"goals"`
	Warnings []string  `json:"warnings"`
}

// Row is one candidate. Times are from exec, in ms; KiB are of the package, to GET /next and to the first response.
type Row struct {
	Name             string   `json:"name"`
	Init             *Summary `json:"initMs,omitempty"`
	First            *Summary `json:"firstResponseMs,omitempty"`
	ColdFirst        *Summary `json:"firstResponseColdPackageMs,omitempty"`
	WarmP50          *Summary `json:"warmP50Ms,omitempty"`
	WarmP99          *float64 `json:"warmP99Ms,omitempty"`
	PerSecond        *Summary `json:"invocationsPerSecond,omitempty"`
	RSS              *Summary `json:"rssKiB,omitempty"`
	SmallFirst       *Summary `json:"firstResponseAt128MBMs,omitempty"`
	SmallWarm        *Summary `json:"warmP50At128MBMs,omitempty"`
	Bytes            int64    `json:"bytes"`
	Zipped           int64    `json:"zippedBytes"`
	TouchedNext      *float64 `json:"touchedKiBToNext,omitempty"`
	TouchedFirst     *float64 `json:"touchedKiBToFirstResponse,omitempty"`
	ReadNext         *float64 `json:"readKiBToNext,omitempty"`
	ReadFirst        *float64 `json:"readKiBToFirstResponse,omitempty"`
	UserInstructions *float64 `json:"userInstructions,omitempty"`
	NotMeasured      []string `json:"notMeasured,omitempty"`
}

// Summary is a median with its 95 % confidence interval, which few samples have not.
type Summary struct {
	Median   float64        `json:"median"`
	Interval *stat.Interval `json:"interval95,omitempty"`
	N        int            `json:"n"`
}

func summarize(values []float64) *Summary {
	if len(values) == 0 {
		return nil
	}
	median, ci, ok := stat.NewSample(values).Median()
	s := &Summary{Median: median, N: len(values)}
	if ok {
		s.Interval = &ci
	}
	return s
}

func report(rows []*row, p plan, warnings []string) *Report {
	for _, x := range rows {
		if n := len(x.init); n > 0 && n < p.rounds && len(x.notMeasured) == 0 {
			warnings = append(warnings, fmt.Sprintf("%s: %d cold starts of %d: a larger -budget takes more", x.name, n, p.rounds))
		}
	}
	r := &Report{Seed: p.seed, Rounds: p.rounds, Goals: findings(rows), Warnings: append([]string{}, warnings...)}
	for _, x := range rows {
		row := Row{Name: x.name, Init: summarize(x.init), First: summarize(x.first), ColdFirst: summarize(x.coldFirst), WarmP50: summarize(x.warm), PerSecond: summarize(x.perSecond), RSS: summarize(x.rss),
			SmallFirst: summarize(x.smallFirst), SmallWarm: summarize(x.smallWarm), Bytes: x.bytes, Zipped: x.zipped, NotMeasured: x.notMeasured}
		optional := func(v float64, ok bool) *float64 {
			if !ok {
				return nil
			}
			return &v
		}
		row.WarmP99 = optional(stat.NewSample(x.warm).Quantile(0.99), len(x.warm) >= stat.MinP99)
		row.TouchedNext, row.TouchedFirst = optional(x.pages(0, false)), optional(x.pages(0, true))
		row.ReadNext, row.ReadFirst = optional(x.pages(probe.DefaultReadAheadKiB, false)), optional(x.pages(probe.DefaultReadAheadKiB, true))
		row.UserInstructions = optional(x.instructions, x.instructions > 0)
		r.Rows = append(r.Rows, row)
	}
	return r
}

func (r *Report) json(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// text prints the table, the goals and what is to be said about them.
func (r *Report) text(w io.Writer) error {
	t := table.Table{Heads: table.Heads(1, "bootstrap", "init\nms", "first resp.\nms", "first resp., cold\npackage, ms", "warm p50\nms", "warm p99\nms", "through-\nput, 1/s", "RSS\nMB",
		fmt.Sprintf("first resp.,\n%d MB, ms", smallMB), fmt.Sprintf("warm p50,\n%d MB, ms", smallMB), "size\nkB", "zipped\nkB",
		"touched, read-ahead 0\nKiB, /next + resp.", "read, read-ahead 128\nKiB, /next + resp.", "user instr.\nmillion")}
	for _, row := range r.Rows {
		t.Add(row.Name, interval(row.Init), interval(row.First), interval(row.ColdFirst), number(row.WarmP50, 1, "%.3f"),
			plain(row.WarmP99, 1, "%.3f"), number(row.PerSecond, 1, "%.0f"), number(row.RSS, 1.024/1000, "%.1f"), interval(row.SmallFirst), number(row.SmallWarm, 1, "%.2f"),
			fmt.Sprint(row.Bytes/1000), fmt.Sprint(row.Zipped/1000), pair(row.TouchedNext, row.TouchedFirst), pair(row.ReadNext, row.ReadFirst), plain(row.UserInstructions, 1e-6, "%.2f"))
	}
	if err := t.Text(w, 0, nil); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nMedians of up to %d cold starts [95 %% interval]; init and first response from exec on, everything in memory, but where the package is cold, which it is on Lambda; -: not measured. touched, read: of a cold package.\n\nGoals (ratios of this run)\n", r.Rounds)
	goals := table.Table{Heads: table.Heads(4, "", "", "", "")}
	for _, g := range r.Goals {
		value := "-"
		if g.Value != nil {
			value = fmt.Sprintf("%.3g", *g.Value)
		}
		if g.Interval != nil {
			value += fmt.Sprintf(" [%.3g, %.3g]", g.Interval.Lo, g.Interval.Hi)
		}
		goals.Add("  "+g.Goal, fmt.Sprintf("<= %.3g", g.Limit), value, g.Outcome+" "+g.Why)
	}
	if err := goals.Text(w, 0, nil); err != nil {
		return err
	}
	fmt.Fprintln(w, "  (\"?\": the interval holds the limit: more --rounds tell)")
	for _, row := range r.Rows {
		for _, why := range row.NotMeasured {
			fmt.Fprintf(w, "not measured: %s, %s\n", row.Name, why)
		}
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	return nil
}

func interval(s *Summary) string {
	switch {
	case s == nil:
		return "-"
	case s.Interval == nil:
		return fmt.Sprintf("%.2f", s.Median)
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", s.Median, s.Interval.Lo, s.Interval.Hi)
}

func number(s *Summary, scale float64, format string) string {
	if s == nil {
		return "-"
	}
	return plain(&s.Median, scale, format)
}

func plain(v *float64, scale float64, format string) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, *v*scale)
}

func pair(next, first *float64) string {
	return plain(next, 1, "%.0f") + "  " + plain(first, 1, "%.0f")
}
