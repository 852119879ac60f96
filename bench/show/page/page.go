// Package page is what Twinstart's pages are made of: one style sheet, the chart library, and scripts that draw. A page is one file that
// loads nothing; its policy names the digests of its own scripts and allows no others.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"strings"
)

// Files are the page's parts. vendor/ holds d3 and Observable Plot as published on npm, byte for byte, and their licences.
//
//go:embed page.css page.tmpl js vendor
var Files embed.FS

func read(name string) string {
	text, err := Files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

// Style is the style sheet, of light and dark.
func Style() string { return read("page.css") }

// Library is d3 and Observable Plot, below their licences.
func Library() string {
	return "/*!\n" + strings.ReplaceAll(read("vendor/LICENSE.txt"), "*/", "* /") + "*/\n" + read("vendor/d3.min.js") + "\n" + read("vendor/plot.min.js")
}

// Program is scripts of js/ in one scope of their own, in that order.
func Program(names ...string) (string, error) {
	var b strings.Builder
	b.WriteString("(() => {\n'use strict';\n")
	for _, name := range names {
		text, err := Files.ReadFile("js/" + name + ".js")
		if err != nil {
			return "", err
		}
		b.Write(text)
	}
	b.WriteString("})();\n")
	return b.String(), nil
}

// Policy lets a browser run the page's own scripts, known by their digests, and load nothing at all. Styles may be inline: Plot writes
// them into its pictures.
func Policy(scripts ...string) string {
	var digests []string
	for _, s := range scripts {
		sum := sha256.Sum256([]byte(s))
		digests = append(digests, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return fmt.Sprintf("default-src 'none'; script-src %s; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'", strings.Join(digests, " "))
}
