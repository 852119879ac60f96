// Package page writes the HTML page of reports, tunings and explanations: first the answers, then the parts, most of
// which are closed. The package holds the style sheet, the chart library and the scripts. A page is one file that loads
// nothing. Its content security policy allows only its own scripts, by their digests.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"
	"regexp"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/show/table"
)

// Files holds the page's sources. vendor/ has d3 and Observable Plot exactly as published on npm, and their licences.
//
//go:embed page.css page.tmpl js vendor
var Files embed.FS

// Page is the content of a page.
type Page struct {
	Title   string // of the document
	Kicker  string // the kind of page
	Heading string
	Badges  []Badge
	Answers []Answer
	Facts   []Fact
	Body    any // data for the form's own templates
	Parts   []Part
	Absent  []string // names of missing parts, with the reasons
	Data    any      // data that the scripts draw, as JSON
}

// Badge says where the figures are from; Kind is "lab" or "aws".
type Badge struct{ Kind, Text string }

// Answer is a question with its answer, and how sure it is.
type Answer struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
	Sure     string `json:"sure,omitempty"`
}

// Fact is a short text below the answers. To is the part that says more, or "".
type Fact struct{ Text, To string }

// Part is a section of the page: a picture and the tables with its figures, or only tables or sentences. A part that is
// not open shows as a line to click.
type Part struct {
	ID, Title string
	Open      bool
	Plot      bool     // it has a picture, drawn by the scripts
	Text      []string // paragraphs, mostly about how to read it
	Lines     []string
	Code      []Code
	Tables    []table.Table
	Absent    string // why the part is missing; "" if it is there
}

// Code is a command to copy.
type Code struct{ What, Command string }

// Form is a kind of page.
type Form struct {
	tmpl    *template.Template
	program string
}

// NewForm makes a form from scripts of js/, in the given order, and from a text that defines two templates: "hero" goes
// beside the answers, "main" below them. It panics on an error, because text and scripts are embedded.
func NewForm(text string, scripts ...string) *Form {
	base := template.New("").Funcs(template.FuncMap{"linked": linked})
	f := &Form{tmpl: template.Must(template.Must(base.Parse(read("page.tmpl"))).Parse(text))}
	var b strings.Builder
	b.WriteString("(() => {\n'use strict';\n")
	for _, name := range append([]string{"draw", "labels", "tables", "frame"}, scripts...) {
		b.WriteString(read("js/" + name + ".js"))
	}
	f.program = b.String() + "})();\n"
	return f
}

// Write writes the page.
func (f *Form) Write(w io.Writer, p *Page) error {
	data, err := json.Marshal(p.Data) // it escapes <, > and &, so no text of a record can end the script element
	if err != nil {
		return err
	}
	licence := strings.ReplaceAll(read("vendor/LICENSE.txt"), "*/", "* /")
	library := "/*!\n" + licence + "*/\n" + read("vendor/d3.min.js") + "\n" + read("vendor/plot.min.js")
	return f.tmpl.ExecuteTemplate(w, "page", struct {
		*Page
		Policy                 string
		Style                  template.CSS
		Library, Program, Data template.JS
	}{
		p, Policy(library, f.program), template.CSS(read("page.css")), //nolint:gosec // the program's own files
		template.JS(library), template.JS(f.program), template.JS(data), //nolint:gosec // ours, or escaped by json.Marshal
	})
}

var documents = regexp.MustCompile(`docs/[a-z-]+\.md`)

// linked returns the text with links to the project's documents.
func linked(text string) template.HTML {
	const link = `<a href="https://github.com/twinstart/twinstart/blob/main/$0">$0</a>`
	return template.HTML(documents.ReplaceAllString(template.HTMLEscapeString(text), link)) //nolint:gosec // escaped
}

func read(name string) string {
	text, err := Files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

// Policy lets a browser run the page's own scripts, by their digests, and load nothing. Styles may be inline, because
// Plot writes them into its pictures.
func Policy(scripts ...string) string {
	digests := list.Map(scripts, func(script string) string {
		sum := sha256.Sum256([]byte(script))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	})
	return "default-src 'none'; script-src " + strings.Join(digests, " ") +
		"; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
}
