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

// inspect: inspect NAME. The CDK CLI looks only at the exit status.
type inspect struct {
	Type string
	names
}

func (o *inspect) Run(c *call) error {
	if len(o.Names) == 0 || o.Type != "" && o.Type != "image" {
		return usagef("inspect takes names of images")
	}
	var out []any
	for _, name := range o.Names {
		image, err := c.builder.Store.Image(name)
		if builder.IsNoImage(err) {
			return err
		}
		if err != nil {
			return &storeError{err}
		}
		out = append(out, map[string]any{"Id": image.ID.String(), "RepoTags": []string{image.Name()}, "Os": image.Config.OS, "Architecture": image.Config.Architecture,
			"Config": image.Config.Config})
	}
	text, err := json.MarshalIndent(out, "", "    ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "%s\n", text)
	return err
}

// row is the data of a --format template of images.
type row struct{ Repository, Tag, ID, Digest, Size string }

// images: images [--format TEMPLATE] [--filter reference=PATTERN], by which the CDK CLI looks for an image that it has built.
type images struct {
	Format string `default:"{{.Repository}}:{{.Tag}}\t{{.ID}}\t{{.Size}}"`
	Filter string `short:"f"`
}

func (o *images) Run(c *call) error {
	pattern, found := strings.CutPrefix(o.Filter, "reference=")
	if !found && o.Filter != "" {
		return usagef("images: --filter %s needs Docker: reference=PATTERN works here", o.Filter)
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
		whole, err := path.Match(pattern, image.Name()) // as docker: of the whole name, or of the repository
		if err != nil {
			return usagef("images: pattern %s: %v", pattern, err)
		}
		if repository, _ := path.Match(pattern, image.Repository); pattern != "" && !whole && !repository {
			continue
		}
		r := row{image.Repository, image.Tag, image.ID.Hex[:12], image.Digest.String(), bytesText(image.Size)}
		if err := line.Execute(c.stdout, r); err != nil {
			return usagef("images: --format: %v", err)
		}
	}
	return nil
}

// tag: tag SOURCE TARGET.
type tag struct{ names }

func (o *tag) Run(c *call) error {
	if len(o.Names) != 2 {
		return usagef("tag takes an image and its new name")
	}
	return c.builder.Store.Tag(o.Names[0], o.Names[1])
}

// push: push NAME.
type push struct {
	Ignored bool `name:"quiet" short:"q" aliases:"disable-content-trust"`
	names
}

func (o *push) Run(c *call) error {
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

// version prints the program's name. Callers of docker look only at the status.
type version struct{}

func (version) Run(c *call) error {
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
