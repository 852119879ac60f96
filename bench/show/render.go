// Package show draws a report: as text for a terminal, as Markdown for a pull request, as JSON and CSV for programs, as a page with
// pictures for everyone else.
//
// All forms come from the same report.Report and none computes anything. A lab figure is called one in every form.
package show

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/twinstart/twinstart/bench/report"
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

func asJSON(w io.Writer, r *report.Report, _ Options) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

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
