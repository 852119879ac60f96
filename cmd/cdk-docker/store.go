package main

import (
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/twinstart/twinstart/packages/builder"
)

// inspect looks only whether an image is there, as the CDK CLI does.
type inspect struct {
	Name string `arg:""`
}

func (o *inspect) Run(c *call) error {
	_, err := c.builder.Store.Image(o.Name)
	if err == nil || builder.IsNoImage(err) {
		return err
	}
	return &storeError{err}
}

// images lists the names of images, which is how the CDK CLI looks for one that it has built.
type images struct {
	Format string `enum:"{{.Repository}}:{{.Tag}}" default:"{{.Repository}}:{{.Tag}}"`
	Filter string `default:"reference=" help:"reference=PATTERN"`
}

func (o *images) Run(c *call) error {
	pattern, found := strings.CutPrefix(o.Filter, "reference=")
	if _, err := path.Match(pattern, ""); !found || err != nil {
		return usagef("images: --filter %s needs Docker: reference=PATTERN works here", o.Filter)
	}
	all, err := c.builder.Store.Names()
	if err != nil {
		return &storeError{err}
	}
	for _, name := range all {
		if matches, _ := path.Match(pattern, name); matches || pattern == "" {
			fmt.Fprintln(c.stdout, name)
		}
	}
	return nil
}

type tag struct {
	Source string `arg:""`
	Target string `arg:""`
}

func (o *tag) Run(c *call) error { return c.builder.Store.Tag(o.Source, o.Target) }

type push struct {
	Name string `arg:""`
}

func (o *push) Run(c *call) error {
	c.display.about(o.Name)
	result, err := c.builder.Push(c.ctx, o.Name)
	if err != nil {
		return err
	}
	c.display.line(fmt.Sprintf("pushed: layers: %d sent (%s), %d there already, %s",
		result.Uploaded, bytesText(result.Bytes), result.Existing, result.Digest), 0)
	return nil
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

// maxPassword is larger than any registry's token: an ECR token has about 2 kB.
const maxPassword = 64 << 10

// login does not ask the registry, so a wrong password shows at a push.
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
	if err := c.builder.Store.Login(o.Host, o.Username, text); err != nil {
		return &storeError{err}
	}
	_, err = fmt.Fprintln(c.stdout, "Login Succeeded")
	return err
}
