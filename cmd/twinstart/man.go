package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	"github.com/muesli/roff"
)

// manCommand prints the manual page.
type manCommand struct{}

// Run prints; the examples of single commands are --help's, for the page would set each line apart.
func (manCommand) Run(k *kong.Kong, io streams) error {
	for _, command := range k.Model.Children {
		command.Detail = ""
	}
	_, err := fmt.Fprint(io.out, mangokong.NewManPage(1, k.Model).Build(page{roff.NewDocument()}))
	return err
}

// page lets % through, which its library takes for the beginning of a verb.
type page struct{ *roff.Document }

func (p page) Text(text string) { p.Document.Text(strings.ReplaceAll(text, "%", "%%")) }

func (p page) TextBold(text string) { p.Document.TextBold(strings.ReplaceAll(text, "%", "%%")) }
