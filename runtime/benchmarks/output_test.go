//go:build linux

package benchmarks

import (
	"fmt"
	"strings"

	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
)

// metric is a thing that is measured of a row: by samples, or as one number.
type metric struct {
	name     string  // in goals, with its unit unless it is a time
	unit     string  // in the row's line as a benchmark
	head     string  // of its column; "" means that another metric's column shows it
	format   string  // of its number in that column
	scale    float64 // by which that number is multiplied; 0 means 1
	interval bool    // whether the column also shows the interval
	second   *metric // what the column also shows
}

var (
	initTime   = &metric{name: "init", unit: "init-ms", head: "init\nms", format: "%.2f", interval: true}
	first      = &metric{name: "first response", unit: "first-ms", head: "first resp.\nms", format: "%.2f", interval: true}
	coldFirst  = &metric{name: "first response, cold package", unit: "cold-first-ms", head: "first resp., cold\npackage, ms", format: "%.2f", interval: true}
	warm       = &metric{unit: "warm-p50-ms", head: "warm p50\nms", format: "%.3f"}
	warmMedian = &metric{name: "warm call"} // of each round
	warmP99    = &metric{unit: "warm-p99-ms", head: "warm p99\nms", format: "%.3f"}
	perSecond  = &metric{unit: "calls/s", head: "through-\nput, 1/s", format: "%.0f"}
	memory     = &metric{unit: "RSS-KiB", head: "RSS\nMB", format: "%.1f", scale: 1.024 / 1000}

	smallFirst      = &metric{name: "first response at 128 MB", unit: "first-128MB-ms", head: "first resp.,\n128 MB, ms", format: "%.2f", interval: true}
	smallWarm       = &metric{unit: "warm-p50-128MB-ms", head: "warm p50,\n128 MB, ms", format: "%.2f"}
	smallWarmMedian = &metric{name: "warm call at 128 MB"} // of each round

	size            = &metric{name: "package, MB", unit: "MB", head: "size\nkB", format: "%.0f", scale: 1e3}
	zipped          = &metric{name: "zipped, MB", unit: "zipped-MB", head: "zipped\nkB", format: "%.0f", scale: 1e3}
	touchedNext     = &metric{unit: "touched-next-KiB", head: "touched, read-ahead 0\nKiB, /next + resp.", format: "%.0f", second: touchedResponse}
	touchedResponse = &metric{name: "touched to the first response, KiB", unit: "touched-first-KiB", format: "%.0f"}
	readNext        = &metric{name: "read to /next, KiB", unit: "read-next-KiB", head: "read, read-ahead 128\nKiB, /next + resp.", format: "%.0f", second: readResponse}
	readResponse    = &metric{name: "read to the first response, KiB", unit: "read-first-KiB", format: "%.0f"}
	instructions    = &metric{unit: "user-instructions", head: "user instr.\nmillion", format: "%.2f", scale: 1e-6}
)

// columns are the metrics that are reported, in the order of the table.
var columns = []*metric{initTime, first, coldFirst, warm, warmP99, perSecond, memory, smallFirst, smallWarm, size, zipped,
	touchedNext, touchedResponse, readNext, readResponse, instructions}

// summary is a median with its 95 % confidence interval, which needs more than a few samples.
type summary struct {
	median   float64
	interval *stat.Interval
	n        int
}

func summarize(values []float64) *summary {
	if len(values) == 0 {
		return nil
	}
	median, ci, ok := stat.NewSample(values).Median()
	s := &summary{median: median, n: len(values)}
	if ok {
		s.interval = &ci
	}
	return s
}

// of returns what was measured of a row, or nil. The median of one number is the number.
func (m *metric) of(r *row) *summary {
	if value, ok := r.values[m]; ok {
		return &summary{median: value}
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
		text = fmt.Sprintf(m.format, s.median*scale)
		if m.interval && s.interval != nil {
			text += fmt.Sprintf(" ["+m.format+", "+m.format+"]", s.interval.Lo*scale, s.interval.Hi*scale)
		}
	}
	if m.second != nil {
		text += "  " + m.second.cell(r)
	}
	return text
}

// describe returns the table, the goals, what was not measured, and notes.
func describe(rows []*row, notes []string) string {
	var w strings.Builder
	heads := []string{"bootstrap"}
	for _, m := range columns {
		if m.head != "" {
			heads = append(heads, m.head)
		}
	}
	t := table.Table{Heads: table.Heads(1, heads...)}
	for _, r := range rows {
		cells := []string{r.name}
		for _, m := range columns {
			if m.head != "" {
				cells = append(cells, m.cell(r))
			}
		}
		t.Add(cells...)
	}
	w.WriteString(t.Text(0))
	fmt.Fprintf(&w, "\nMedians of %d cold starts [95 %% interval]; init and first response are counted from exec. Everything is in memory, "+
		"except a cold package, as on Lambda. %s: not measured. touched, read: of a cold package.\n\nGoals (ratios of this run)\n", *rounds, table.None)
	judged := table.Table{Heads: table.Heads(4, "", "", "", "")}
	for _, g := range goals {
		value, outcome := g.judge(rows)
		judged.Add("  "+g.String(), fmt.Sprintf("<= %.3g", g.limit), value, outcome)
	}
	w.WriteString(judged.Text(0))
	fmt.Fprintln(&w, `  ("?": the interval includes the limit: run more -rounds)`)
	for _, r := range rows {
		for _, why := range r.notMeasured {
			fmt.Fprintf(&w, "not measured: %s, %s\n", r.name, why)
		}
	}
	for _, note := range notes {
		fmt.Fprintf(&w, "note: %s\n", note)
	}
	return w.String()
}
