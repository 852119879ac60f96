package explain

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"owners":   func(e *Explanation) []Box { return nested(e.Owners, 1160, 520) },
	"sections": func(e *Explanation) []Box { return nested(e.Sections, 1160, 320) },
	"fit":      fit,
	"ms":       func(perKiB float64, kib int) string { return fmt.Sprintf("%.2f", perKiB*float64(kib)) },
	"dict":     func(title string, boxes []Box, height int) any { return drawing{title, boxes, height} },
	"rows":     func(items []*Item, perKiB float64) any { return rows{items, perKiB} },
	"add":      func(a float64, b float64) float64 { return a + b },
	"first": func(n int, items []*Item) []*Item {
		return items[:min(n, len(items))]
	},
}).Parse(pageText))

// drawing and rows are what the page's parts are given.
type drawing struct {
	Title  string
	Boxes  []Box
	Height int
}

type rows struct {
	Items    []*Item
	MsPerKiB float64
}

// Page is what HTML shows.
type Page struct {
	Name     string
	MsPerKiB float64 // of the model; predicted, 0 shows none
	// BaseShare is the part of the base's KiB that a prediction counts: AWS has some of them in memory.
	BaseShare float64
	Files     []*Explanation
}

// Ms is what a KiB of a file costs.
func (p Page) Ms(e *Explanation) float64 {
	if e.Package {
		return p.MsPerKiB
	}
	return p.MsPerKiB * p.BaseShare
}

// HTML writes a page that needs nothing else: treemaps of what was read, and tables.
func HTML(w io.Writer, p Page) error {
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("writing an explanation: %w", err)
	}
	return nil
}

// fit cuts a name to the width of a box, in letters of about 6 points: what is last in a path says most.
func fit(name string, width float64) string {
	letters := int((width - 6) / 6)
	switch {
	case letters < 3:
		return ""
	case len(name) <= letters:
		return name
	}
	for _, separator := range []string{"/", "::"} {
		for rest := name; ; {
			_, after, ok := strings.Cut(rest, separator)
			if !ok {
				name = rest
				break
			}
			if rest = after; len(rest) <= letters {
				return rest
			}
		}
	}
	return name[:min(len(name), letters-1)] + "."
}
