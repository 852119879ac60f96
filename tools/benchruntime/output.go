//go:build linux

package main

import (
	"fmt"
	"io"

	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
)

// metric is a thing that is measured of a row: by samples, or as one number.
type metric struct {
	name     string  // in goals, with its unit unless it is a time
	json     string  // its key in JSON; "" means that only goals are about it
	head     string  // of its column; "" means that another metric's column shows it
	format   string  // of its number in that column
	scale    float64 // by which that number is multiplied; 0 means 1
	interval bool    // whether the column also shows the interval
	second   *metric // what the column also shows
}

var (
	initTime   = &metric{name: "init", json: "initMs", head: "init\nms", format: "%.2f", interval: true}
	first      = &metric{name: "first response", json: "firstResponseMs", head: "first resp.\nms", format: "%.2f", interval: true}
	coldFirst  = &metric{name: "first response, cold package", json: "firstResponseColdPackageMs", head: "first resp., cold\npackage, ms", format: "%.2f", interval: true}
	warm       = &metric{json: "warmP50Ms", head: "warm p50\nms", format: "%.3f"}
	warmMedian = &metric{name: "warm call"} // of each round
	warmP99    = &metric{json: "warmP99Ms", head: "warm p99\nms", format: "%.3f"}
	perSecond  = &metric{json: "invocationsPerSecond", head: "through-\nput, 1/s", format: "%.0f"}
	memory     = &metric{json: "rssKiB", head: "RSS\nMB", format: "%.1f", scale: 1.024 / 1000}

	smallFirst      = &metric{name: "first response at 128 MB", json: "firstResponseAt128MBMs", head: "first resp.,\n128 MB, ms", format: "%.2f", interval: true}
	smallWarm       = &metric{json: "warmP50At128MBMs", head: "warm p50,\n128 MB, ms", format: "%.2f"}
	smallWarmMedian = &metric{name: "warm call at 128 MB"} // of each round

	size            = &metric{json: "bytes", head: "size\nkB", format: "%.0f", scale: 1e-3}
	sizeMB          = &metric{name: "package, MB"}
	zipped          = &metric{json: "zippedBytes", head: "zipped\nkB", format: "%.0f", scale: 1e-3}
	zippedMB        = &metric{name: "zipped, MB"}
	touchedNext     = &metric{json: "touchedKiBToNext", head: "touched, read-ahead 0\nKiB, /next + resp.", format: "%.0f", second: touchedResponse}
	touchedResponse = &metric{name: "touched to the first response, KiB", json: "touchedKiBToFirstResponse", format: "%.0f"}
	readNext        = &metric{name: "read to /next, KiB", json: "readKiBToNext", head: "read, read-ahead 128\nKiB, /next + resp.", format: "%.0f", second: readResponse}
	readResponse    = &metric{name: "read to the first response, KiB", json: "readKiBToFirstResponse", format: "%.0f"}
	instructions    = &metric{json: "userInstructions", head: "user instr.\nmillion", format: "%.2f", scale: 1e-6}
)

// columns are the metrics that are reported, in the order of the table.
var columns = []*metric{initTime, first, coldFirst, warm, warmP99, perSecond, memory, smallFirst, smallWarm, size, zipped,
	touchedNext, touchedResponse, readNext, readResponse, instructions}

// Summary is a median with its 95 % confidence interval, which takes more than a few samples.
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

// of returns what was measured of a row, or nil. The median of one number is the number.
func (m *metric) of(r *row) *Summary {
	if value, ok := r.values[m]; ok {
		return &Summary{Median: value}
	}
	return summarize(r.samples[m])
}

// cell is what the column shows of a row.
func (m *metric) cell(r *row) string {
	text := table.None
	if s := m.of(r); s != nil {
		scale := m.scale
		if scale == 0 {
			scale = 1
		}
		text = fmt.Sprintf(m.format, s.Median*scale)
		if m.interval && s.Interval != nil {
			text += fmt.Sprintf(" ["+m.format+", "+m.format+"]", s.Interval.Lo*scale, s.Interval.Hi*scale)
		}
	}
	if m.second != nil {
		text += "  " + m.second.cell(r)
	}
	return text
}

// Report is what -format json prints. What is absent was not measured; it is never 0. A row is one candidate. Times
// are in ms from exec on; KiB are of the package.
type Report struct {
	Seed     uint64           `json:"seed"`
	Rounds   int              `json:"rounds"`
	Rows     []map[string]any `json:"rows"`
	Goals    []Finding        `json:"goals"`
	Warnings []string         `json:"warnings"`

	rows []*row
}

func report(rows []*row, p plan, warnings []string) *Report {
	r := &Report{Seed: p.seed, Rounds: p.rounds, Goals: findings(rows), Warnings: append([]string{}, warnings...), rows: rows}
	for _, x := range rows {
		if n := len(x.samples[initTime]); n > 0 && n < p.rounds && len(x.notMeasured) == 0 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s: %d cold starts of %d: a larger -budget takes more", x.name, n, p.rounds))
		}
		figures := map[string]any{"name": x.name}
		for _, m := range columns {
			if value, ok := x.values[m]; ok {
				figures[m.json] = value
			} else if s := m.of(x); s != nil {
				figures[m.json] = s
			}
		}
		if len(x.notMeasured) > 0 {
			figures["notMeasured"] = x.notMeasured
		}
		r.Rows = append(r.Rows, figures)
	}
	return r
}

// text prints the table, the goals and the warnings.
func (r *Report) text(w io.Writer) error {
	heads := []string{"bootstrap"}
	for _, m := range columns {
		if m.head != "" {
			heads = append(heads, m.head)
		}
	}
	t := table.Table{Heads: table.Heads(1, heads...)}
	for _, row := range r.rows {
		cells := []string{row.name}
		for _, m := range columns {
			if m.head != "" {
				cells = append(cells, m.cell(row))
			}
		}
		t.Add(cells...)
	}
	fmt.Fprint(w, t.Text(0, nil))
	fmt.Fprintf(w, "\nMedians of up to %d cold starts [95 %% interval]; init and first response are counted from exec. Everything is in memory, "+
		"except a cold package, as on Lambda. %s: not measured. touched, read: of a cold package.\n\nGoals (ratios of this run)\n", r.Rounds, table.None)
	goals := table.Table{Heads: table.Heads(4, "", "", "", "")}
	for _, g := range r.Goals {
		value := table.None
		if g.Value != nil {
			value = fmt.Sprintf("%.3g", *g.Value)
		}
		if g.Interval != nil {
			value += fmt.Sprintf(" [%.3g, %.3g]", g.Interval.Lo, g.Interval.Hi)
		}
		goals.Add("  "+g.Goal, fmt.Sprintf("<= %.3g", g.Limit), value, g.Outcome+" "+g.Why)
	}
	fmt.Fprint(w, goals.Text(0, nil))
	fmt.Fprintln(w, "  (\"?\": the interval includes the limit: more -rounds tell)")
	for _, row := range r.rows {
		for _, why := range row.notMeasured {
			fmt.Fprintf(w, "not measured: %s, %s\n", row.name, why)
		}
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	return nil
}
