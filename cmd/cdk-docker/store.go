package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"text/template"

	"github.com/twinstart/twinstart/packages/builder"
)

// inspected is what inspect says of an image, by docker's names.
type inspected struct {
	ID           string `json:"Id"`
	RepoTags     []string
	Digest       string
	Os           string
	Architecture string
	Size         int64 // bytes, compressed
	Config       any
}

// inspect: inspect NAME. The CDK CLI looks at the exit status only.
func inspect(c *call, args []string) error {
	var o struct {
		Type  string
		Names []string `arg:"" optional:"" sep:"none"`
	}
	if err := parse("inspect", &o, args); err != nil {
		return err
	}
	if len(o.Names) == 0 || o.Type != "" && o.Type != "image" {
		return usagef("inspect takes names of images")
	}
	out := []inspected{}
	for _, name := range o.Names {
		image, err := c.builder.Store.Image(name)
		if builder.IsNoImage(err) {
			return err
		}
		if err != nil {
			return &storeError{err}
		}
		out = append(out, inspected{image.ID.String(), []string{image.Name()}, image.Digest.String(), image.Config.OS,
			image.Config.Architecture, image.Size, image.Config.Config})
	}
	text, err := json.MarshalIndent(out, "", "    ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "%s\n", text)
	return err
}

// row is what a --format template of images sees.
type row struct{ Repository, Tag, ID, Digest, Size string }

// images: images [--format TEMPLATE] [--filter reference=PATTERN].
func images(c *call, args []string) error {
	var o struct {
		Format     string
		Filter     []string `short:"f" sep:"none"`
		Quiet      bool     `short:"q"`
		Ignored    bool     `name:"all" short:"a" aliases:"digests,no-trunc"`
		References []string `arg:"" optional:"" sep:"none"`
	}
	if err := parse("images", &o, args); err != nil {
		return err
	}
	for _, filter := range o.Filter {
		pattern, found := strings.CutPrefix(filter, "reference=")
		if !found {
			return usagef("images: --filter %s needs Docker: reference=PATTERN works here", filter)
		}
		o.References = append(o.References, pattern)
	}
	switch {
	case o.Quiet:
		o.Format = "{{.ID}}"
	case o.Format == "":
		o.Format = "{{.Repository}}:{{.Tag}}\t{{.ID}}\t{{.Size}}"
	}
	line, err := template.New("format").Option("missingkey=error").Parse(o.Format + "\n")
	if err != nil {
		return usagef("images: --format: %v", err)
	}
	all, err := c.builder.Store.Images()
	if err != nil {
		return &storeError{err}
	}
	for _, image := range all {
		matches, err := matchesAny(image, o.References)
		if err != nil {
			return err
		}
		if !matches {
			continue
		}
		r := row{image.Repository, image.Tag, image.ID.Hex[:12], image.Digest.String(), bytesText(image.Size)}
		if err := line.Execute(c.stdout, r); err != nil {
			return usagef("images: --format: %v", err)
		}
	}
	return nil
}

// matchesAny takes docker's patterns: of the whole name, or of the repository.
func matchesAny(image builder.Image, patterns []string) (bool, error) {
	for _, pattern := range patterns {
		for _, name := range []string{image.Name(), image.Repository} {
			matches, err := path.Match(pattern, name)
			if err != nil {
				return false, usagef("images: pattern %s: %v", pattern, err)
			}
			if matches {
				return true, nil
			}
		}
	}
	return len(patterns) == 0, nil
}

// tag: tag SOURCE TARGET.
func tag(c *call, args []string) error {
	names, err := names("tag", args)
	if err != nil {
		return err
	}
	if len(names) != 2 {
		return usagef("tag takes an image and its new name")
	}
	return c.builder.Store.Tag(names[0], names[1])
}

// push: push NAME.
func push(c *call, args []string) error {
	var o struct {
		Ignored bool     `name:"quiet" short:"q" aliases:"disable-content-trust"`
		Names   []string `arg:"" optional:"" sep:"none"`
	}
	if err := parse("push", &o, args); err != nil {
		return err
	}
	if len(o.Names) != 1 {
		return usagef("push takes one name")
	}
	c.display.about(o.Names[0])
	result, err := c.builder.Push(c.ctx, o.Names[0])
	if err != nil {
		if errors.Is(err, c.ctx.Err()) {
			return fmt.Errorf("pushing %s: interrupted, nothing was tagged", o.Names[0])
		}
		return err
	}
	c.display.Note(fmt.Sprintf("pushed: %s sent (%s), %d there already, %s",
		layersText(result.Uploaded), bytesText(result.Bytes), result.Existing, result.Digest))
	return nil
}

// version tells what this is. Docker's callers look at the status only.
func version(c *call, _ []string) error {
	_, err := fmt.Fprintln(c.stdout, "cdk-docker of Twinstart: builds and pushes images without a daemon")
	return err
}

func layersText(n int) string {
	if n == 1 {
		return "1 layer"
	}
	return fmt.Sprintf("%d layers", n)
}

func bytesText(n int64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}
