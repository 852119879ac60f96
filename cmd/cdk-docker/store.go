package main

import (
	"fmt"
	"io"
	"path"
	"strings"
	"text/template"

	"github.com/twinstart/twinstart/packages/builder"
)

// inspect: inspect NAME. The CDK CLI looks only at the exit status.
type inspect struct{ names }

func (o *inspect) Run(c *call) error {
	if len(o.Names) != 1 {
		return usagef("inspect takes one name")
	}
	image, err := c.builder.Store.Image(o.Names[0])
	if err != nil && !builder.IsNoImage(err) {
		err = &storeError{err}
	}
	if err == nil {
		_, err = fmt.Fprintln(c.stdout, image.ID)
	}
	return err
}

// row is the data of a --format template of images.
type row struct{ Repository, Tag, ID string }

// images: images [--format TEMPLATE] [--filter reference=PATTERN], by which the CDK CLI looks for an image that it has built.
type images struct {
	Format string `default:"{{.Repository}}:{{.Tag}}\t{{.ID}}"`
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
		if err := line.Execute(c.stdout, row{image.Repository, image.Tag, image.ID.Hex[:12]}); err != nil {
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
		return err
	}
	c.display.Note(fmt.Sprintf("pushed: layers: %d sent (%s), %d there already, %s", result.Uploaded,
		bytesText(result.Bytes), result.Existing, result.Digest))
	return nil
}

// maxPassword is larger than any registry's token: an ECR token has about 2 kB.
const maxPassword = 64 << 10

// login: login --username NAME --password-stdin HOST. It does not ask the registry, so a wrong password shows at a
// push.
type login struct {
	Username      string `short:"u" required:""`
	PasswordStdin bool   `required:""`
	Host          string `arg:""`
}

func (o *login) Run(c *call) error {
	secret, err := io.ReadAll(io.LimitReader(c.stdin, maxPassword+1))
	if err != nil {
		return fmt.Errorf("reading the password: %w", err)
	}
	text := strings.TrimRight(string(secret), "\r\n")
	if text == "" || len(secret) > maxPassword {
		return usagef("login: stdin holds no password")
	}
	if err := c.builder.Store.Credentials().Login(o.Host, o.Username, text); err != nil {
		return &storeError{err}
	}
	_, err = fmt.Fprintln(c.stdout, "Login Succeeded")
	return err
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
