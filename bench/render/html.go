package render

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/twinstart/twinstart/bench/report"
)

// The page's parts. vendor/ holds d3 and Observable Plot as published on npm, byte for byte, and their licences.
//
//go:embed page
var assets embed.FS

// scripts are concatenated in this order; they share one scope.
var scripts = []string{"base", "labels", "spread", "curve", "phases", "scatter", "course", "grid", "cost", "effects", "main"}

// parsed is what all pages have in common.
type parsed struct {
	tmpl           *template.Template
	style, library string
	program        string
}

var common = sync.OnceValues(func() (*parsed, error) {
	p := &parsed{}
	var err error
	if p.tmpl, err = template.ParseFS(assets, "page/page.tmpl"); err != nil {
		return nil, err
	}
	read := func(name string) string {
		b, e := assets.ReadFile("page/" + name)
		if e != nil && err == nil {
			err = e
		}
		return string(b)
	}
	p.style = read("page.css")
	p.library = "/*!\n" + strings.ReplaceAll(read("vendor/LICENSE.txt"), "*/", "* /") + "*/\n" + read("vendor/d3.min.js") + "\n" + read("vendor/plot.min.js")
	var b strings.Builder
	b.WriteString("(() => {\n'use strict';\n")
	for _, name := range scripts {
		b.WriteString(read("js/" + name + ".js"))
	}
	b.WriteString("})();\n")
	p.program = b.String()
	return p, err
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
	p.Policy = policy(c.library, c.program)
	p.Style, p.Library, p.Program = template.CSS(c.style), template.JS(c.library), template.JS(c.program) //nolint:gosec // the program's own files
	p.Data = template.JS(encoded)                                                                         //nolint:gosec // escaped by json.Marshal
	return c.tmpl.Execute(w, p)
}

// policy lets a browser run the page's own scripts, known by their digests, and load nothing at all. Styles may be inline: Plot writes
// them into its pictures.
func policy(scripts ...string) string {
	var digests []string
	for _, s := range scripts {
		sum := sha256.Sum256([]byte(s))
		digests = append(digests, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return fmt.Sprintf("default-src 'none'; script-src %s; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'", strings.Join(digests, " "))
}
