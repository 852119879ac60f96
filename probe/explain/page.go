package explain

import (
	"fmt"
	"io"
	"strings"
	"sync"

	html "github.com/twinstart/twinstart/bench/show/page"
	"github.com/twinstart/twinstart/bench/show/table"
)

// Page is the explanation of a package with a prediction.
type Page struct {
	Name     string
	Forecast Forecast
	Files    []*Explanation
}

// About says how much of a file was read.
func (e *Explanation) About() string {
	of := ""
	if !e.Package {
		of = " (of the base)"
	}
	return fmt.Sprintf("%s%s: %d of %d KiB are read before GET /next; the code wanted %d KiB of them",
		e.File, of, e.ReadKiB, e.SizeKiB, e.TouchedKiB)
}

// form is the template of the page.
var form = sync.OnceValue(func() *html.Form {
	return html.NewForm(`{{define "hero"}}{{end}}{{define "main"}}{{end}}`, "explain")
})

// mostRows is the largest number of rows in a table of the page.
const mostRows = 40

// HTML writes a page that needs no other files: advice, treemaps of what was read, and tables.
func HTML(w io.Writer, p Page) error {
	view := html.Page{Title: "What " + p.Name + " reads at a cold start", Kicker: "Twinstart explanation",
		Heading: p.Name, Answers: p.Advice(),
		Badges: []html.Badge{{Kind: "lab", Text: "KiB counted in the lab; ms predicted for AWS, not measured"}}}
	files := map[string][]*Item{}
	for n, e := range p.Files {
		part := html.Part{ID: fmt.Sprintf("file-%d", n), Title: e.File, Open: n < 2, Plot: true, Lines: e.Notes,
			Tables: p.Forecast.Tables(e, mostRows)}
		how := "A page counts for the code whose instruction touched it first."
		if !e.Exact {
			how = "The order of page faults is not known: a page counts for the symbol that covers most of it."
		}
		part.Text = []string{strings.TrimPrefix(e.About(), e.File+": ") + ". " + how, p.Forecast.Footnote()}
		for i := range part.Tables {
			part.Tables[i].ID = fmt.Sprintf("%d-%d", n, i)
		}
		view.Parts = append(view.Parts, part)
		view.Facts = append(view.Facts, html.Fact{Text: fmt.Sprintf("%s %d KiB", e.File, e.ReadKiB), To: part.ID})
		files[part.ID] = e.Owners
	}
	view.Data = files
	if err := form().Write(w, &view); err != nil {
		return fmt.Errorf("writing an explanation: %w", err)
	}
	return nil
}

// Forecast is a prediction for a cold start as ZIP on AWS, in ms. If MsPerKiB is 0, nothing is predicted.
type Forecast struct {
	Init     *[3]float64 // Init Duration and its interval; nil if it is not predicted
	Fixed    float64     // the part of Init that every package takes
	MsPerKiB float64
	Base     float64 // the part of the base's KiB that counts, because AWS has the rest in memory
	CPU      float64 // CPU time beyond what every package takes
}

// Ms returns what a KiB of a file costs.
func (f Forecast) Ms(e *Explanation) float64 {
	if e.Package {
		return f.MsPerKiB
	}
	return f.MsPerKiB * f.Base
}

// Tables returns a file's figures by import, by owner and by section, each with at most top rows.
func (f Forecast) Tables(e *Explanation, top int) (out []table.Table) {
	add := func(title, head string, items []*Item, least int) {
		if len(items) >= least {
			out = append(out, f.table(title, head, items, f.Ms(e), top))
		}
	}
	add("by import", "import", e.Imports, 1)
	add("by owner", "package, crate or function", e.Owners, 1)
	add("where in the file", "section", e.Sections, 2) // one section says nothing
	return out
}

// table returns a table of items, with their largest parts. Items beyond top share a row.
func (f Forecast) table(title, head string, items []*Item, msPerKiB float64, top int) table.Table {
	t := table.Table{Title: title, Heads: []table.Head{{Text: head, Left: true},
		{Text: "KiB read"}, {Text: "wanted"}, {Text: "ms*"}, {Text: "why", Left: true}}}
	add := func(name string, i *Item, hint string) {
		ms := fmt.Sprintf("%.2f", msPerKiB*float64(i.ReadKiB))
		t.Add(name, fmt.Sprint(i.ReadKiB), fmt.Sprint(i.TouchedKiB), ms, hint)
	}
	all, rest := 0, Item{}
	for n, i := range items {
		if all += i.ReadKiB; n >= top {
			rest.ReadKiB, rest.TouchedKiB = rest.ReadKiB+i.ReadKiB, rest.TouchedKiB+i.TouchedKiB
		}
	}
	for _, i := range items[:min(top, len(items))] {
		add(i.Name, i, i.Hint)
		for k, part := range i.Parts {
			if k < 3 && len(i.Parts) > 1 && 20*i.ReadKiB >= all && 10*part.ReadKiB >= i.ReadKiB {
				add("  "+part.Name, part, part.Hint)
			}
		}
	}
	if n := len(items) - top; n > 0 {
		add(fmt.Sprintf("%d more", n), &rest, "")
	}
	return t
}

// Footnote explains the column ms in tables.
func (f Forecast) Footnote() string {
	return fmt.Sprintf("* predicted for AWS as ZIP, at the calibration's cost of a KiB (%.0f %% of it for the "+
		"base's files); not measured there", 100*f.Base)
}
