package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/handler"
)

// packageCommand makes the ZIP of a function or of a layer, for any deployment tool.
type packageCommand struct {
	Folder       string           `arg:"" optional:"" placeholder:"DIR"`
	Bootstrap    string           `placeholder:"NAME"`
	Architecture arm.Architecture `aliases:"arch" default:"" enum:"arm64,x86_64," placeholder:"ARCH"`
	Handler      string           `default:"handler.run" placeholder:"NAME"`
	Layer        bool
	Out          string `short:"o" required:"" placeholder:"FILE"`
}

// Help lists the bootstraps, below help/package.txt.
func (packageCommand) Help() string {
	var b strings.Builder
	for _, p := range packages.Bootstraps() {
		fmt.Fprintf(&b, "\n  %-15s %s", p.Name, p.Doc)
	}
	return b.String() + "\n"
}

func (c *packageCommand) Run(ctx context.Context, std streams) error {
	a := cmp.Or(c.Architecture, arm.Host())
	_, noFolder := os.Stat(filepath.Dir(c.Out))
	switch {
	case c.Layer == (c.Folder != ""):
		return errors.New("name a handler's folder, or --layer for the bootstrap alone, not both: twinstart package " +
			"./my-handler --bootstrap rawsyscall -o fn.zip")
	case c.Bootstrap == "":
		return errors.New("say which bootstrap: --bootstrap rawsyscall (needs Go or a released archive) or --bootstrap " +
			"bashtcp (needs neither)")
	case c.Out == "-":
		return errors.New("--out -: a ZIP does not go to standard output: name a file")
	case noFolder != nil:
		return fmt.Errorf("there is no folder %s: create it", filepath.Dir(c.Out))
	case !c.Layer:
		h := handler.Handler{Dir: c.Folder, Name: c.Handler, Architecture: a, StaticBash: c.Bootstrap == "bashtcp-static"}
		notes, err := h.Check()
		if err != nil {
			return err
		}
		for _, n := range notes {
			std.warn(n.Text)
		}
	}
	w, err := workspace(ctx, c.Bootstrap, std)
	if err != nil {
		return err
	}
	w.Licences = true
	var made string
	what := fmt.Sprintf("%s for %s", c.Bootstrap, a)
	if c.Layer {
		what += ", a layer for functions on provided.al2023 that have no bootstrap"
		made, err = w.Layer(ctx, c.Bootstrap, a)
	} else {
		what += ", Runtime provided.al2023, Handler " + c.Handler
		made, err = w.ZIP(ctx, c.Bootstrap, a, c.Folder)
	}
	if err != nil {
		return err
	}
	content, err := os.ReadFile(made)
	if err == nil {
		err = archive.ReplaceFile(c.Out, 0o644, content)
	}
	if err != nil {
		return fmt.Errorf("writing the package: %w", err)
	}
	sum := sha256.Sum256(content)
	digest := base64.StdEncoding.EncodeToString(sum[:])
	_, err = fmt.Fprintf(std.out, "%s: %d kB, %s, CodeSha256 %s\n", c.Out, (len(content)+999)/1000, what, digest)
	return err
}

func workspace(ctx context.Context, bootstrap string, std streams) (*packages.Workspace, error) {
	version, _ := version()
	return packages.Installed(ctx, bootstrap, version, std.err)
}
