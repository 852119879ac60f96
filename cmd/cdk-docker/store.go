package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/docker/go-units"

	"github.com/twinstart/twinstart/packages/builder"
)

// inspect only checks whether an image exists, which is all that the CDK CLI asks.
type inspect struct {
	Name string `arg:""`
}

func (o *inspect) Run(c *call) error {
	_, err := c.builder.Store.Image(o.Name)
	if err == nil || errors.Is(err, builder.ErrNoImage) {
		return err
	}
	return &failure{err, exitStore}
}

// images lists the names of images. The CDK CLI looks there for an image that it has built.
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
		return &failure{err, exitStore}
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
	digest, err := c.builder.Push(c.ctx, o.Name)
	if err != nil {
		return err
	}
	c.display.line("pushed: "+digest.String(), 0)
	return nil
}

func bytesText(n int64) string {
	return units.CustomSize("%.4g %s", float64(n), 1000, []string{"B", "kB", "MB", "GB"})
}

// maxPassword is larger than any registry's token: an ECR token has about 2 kB.
const maxPassword = 64 << 10

// login does not ask the registry, so a push is the first to report a wrong password.
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
		return usagef("login: stdin holds no password: pipe one of up to %d bytes into this command", maxPassword)
	}
	if err := c.builder.Store.Login(o.Host, o.Username, text); err != nil {
		return &failure{err, exitStore}
	}
	_, err = fmt.Fprintln(c.stdout, "Login Succeeded")
	return err
}
