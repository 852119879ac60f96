package show

import (
	"encoding/json"
	"html/template"
	"io"
	"sync"

	"github.com/twinstart/twinstart/bench/report"
	parts "github.com/twinstart/twinstart/bench/show/page"
)

// scripts are concatenated in this order; they share one scope.
var scripts = []string{"base", "draw", "labels", "hero", "spread", "curve", "coldwarm", "phases", "scatter", "predicted", "course", "grid", "memory", "cost", "effects", "frame", "main"}

// parsed is what all pages have in common.
type parsed struct {
	tmpl    *template.Template
	program string
}

var common = sync.OnceValues(func() (*parsed, error) {
	tmpl, err := template.ParseFS(parts.Files, "page.tmpl")
	if err != nil {
		return nil, err
	}
	program, err := parts.Program(scripts...)
	return &parsed{tmpl, program}, err
})

// asHTML draws the report as one page that needs nothing else: no server, no network, no file beside it.
func asHTML(w io.Writer, r *report.Report, _ Options) error {
	c, err := common()
	if err != nil {
		return err
	}
	data := pictureData(r)
	encoded, err := json.Marshal(data) // escapes <, > and &, so that no text of a record can end the script element
	if err != nil {
		return err
	}
	p := newPage(r, &data)
	p.Policy = parts.Policy(parts.Library(), c.program)
	p.Style, p.Library, p.Program = template.CSS(parts.Style()), template.JS(parts.Library()), template.JS(c.program) //nolint:gosec // the program's own files
	p.Data = template.JS(encoded)                                                                                     //nolint:gosec // escaped by json.Marshal
	return c.tmpl.Execute(w, p)
}
