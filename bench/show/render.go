// Package show draws a report: as text for a terminal, as Markdown for a pull request, as JSON and CSV for programs, as a page with
// pictures for everyone else.
//
// All forms come from the same report.Report and none computes anything. A lab figure is called one in every form.
package show

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// Options of a rendering.
type Options struct {
	Colour bool // text only
	Brief  bool // text only: the answers and the best arms, for a terminal
	Width  int  // text only: where lines end; 0 is 120
	Phases bool // text and Markdown: what INIT and events consist of; the other forms have it whenever the records do
}

func (o Options) width() int {
	if o.Width == 0 {
		return textWidth
	}
	return min(max(o.Width, leastWidth), textWidth)
}

// renderer draws a report in one form.
type renderer func(io.Writer, *report.Report, Options) error

var formats = map[string]renderer{"text": text, "markdown": markdown, "json": asJSON, "csv": asCSV, "html": asHTML}

func asJSON(w io.Writer, r *report.Report, _ Options) error { return table.JSON(w, r) }

// Formats lists the names of the forms.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// Write draws the report in the form of that name.
func Write(w io.Writer, format string, r *report.Report, o Options) error {
	f, ok := formats[format]
	if !ok {
		return fmt.Errorf("unknown format %q: use %s", format, strings.Join(Formats(), ", "))
	}
	return f(w, r, o)
}

// Colour tells whether a file is a terminal that wants colours. See https://no-color.org.
func Colour(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isatty.IsTerminal(f.Fd())
}

// csvNames are the columns of the CSV form: the JSON form's names, nested ones joined, ends of intervals apart.
func csvNames() (names []string) {
	spread := func(prefix string) {
		for _, q := range new(report.Spread).Quantiles() {
			names = append(names, prefix+q.Name+"_ms", prefix+q.Name+"_ci95_ms_lo", prefix+q.Name+"_ci95_ms_hi")
		}
		names = append(names, prefix+"max_ms")
	}
	names = strings.Fields("arm source region bootstrap package architecture memory_size_mb handler package_size_bytes init_count init_total_ms init_average_ms init_sd_ms")
	spread("")
	names = append(names, strings.Fields("init_read_kib init_read_chunks first_response_read_kib init_base_read_kib init_libc_read_kib init_cpu_ms init_warm_cpu_ms "+
		"init_page_faults init_major_page_faults predicted_on_aws_init_ms predicted_on_aws_init_ms_lo predicted_on_aws_init_ms_hi")...)
	for _, of := range []string{"cold_total_", "caller_wait_", "warm_", "warm_caller_wait_"} {
		names = append(names, of+"count", of+"average_ms")
		spread(of)
	}
	return append(names, strings.Fields("warm_environments residual_p50_ms max_memory_used_mb cold_usd_per_million warm_usd_per_million function_errors not_measured")...)
}

// asCSV writes a row an arm, unrounded; an empty cell is what was not measured or has too few samples.
func asCSV(w io.Writer, r *report.Report, _ Options) error {
	names := csvNames()
	t := table.Table{Heads: table.Heads(0, names...)}
	add := func(cells map[string]string) {
		row := make([]string, len(names))
		for i, name := range names {
			row[i] = cells[name]
		}
		t.Add(row...)
	}
	for _, a := range r.Arms {
		encoded, err := json.Marshal(a)
		if err != nil {
			return err
		}
		var arm any
		d := json.NewDecoder(bytes.NewReader(encoded))
		d.UseNumber()
		if err := d.Decode(&arm); err != nil {
			return err
		}
		cells := map[string]string{"function_errors": strconv.Itoa(a.FunctionErrors)}
		flatten(cells, "", arm)
		add(cells)
	}
	for _, n := range r.NotMeasured {
		add(map[string]string{"arm": n.Arm, "not_measured": n.Why})
	}
	return t.CSV(w)
}

// flatten names each value of a JSON document by the way to it.
func flatten(cells map[string]string, name string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, x := range v {
			flatten(cells, strings.TrimPrefix(name+"_"+key, "_"), x)
		}
	case []any:
		if len(v) == 2 { // an interval
			name = strings.TrimSuffix(name, "_interval")
			flatten(cells, name+"_lo", v[0])
			flatten(cells, name+"_hi", v[1])
		}
	case string, json.Number:
		cells[name] = fmt.Sprint(v)
	}
}
