package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
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
	Folder       string `arg:"" optional:"" placeholder:"DIR" help:"Handler's folder; none with --layer."`
	Bootstrap    string `placeholder:"NAME" help:"Bootstrap that answers the Runtime API: twinstart package --help lists them."`
	Architecture string `aliases:"arch" placeholder:"ARCH" help:"arm64 or x86_64; this machine's by default."`
	Handler      string `default:"handler.run" placeholder:"NAME" help:"Handler that the function will name (run in handler.sh is handler.run); it has to be there."`
	Layer        bool   `help:"Make the ZIP of a layer with the bootstrap alone: functions are then plain folders with a handler."`
	Out          string `short:"o" required:"" placeholder:"FILE" help:"The ZIP file."`
}

// Help lists the bootstraps, below help/package.txt.
func (packageCommand) Help() string {
	var b strings.Builder
	for _, p := range packages.Bootstraps() {
		fmt.Fprintf(&b, "\n  %-15s %s", p.Name, p.Doc)
	}
	return b.String() + "\n"
}

// Run makes the ZIP.
func (c *packageCommand) Run(ctx context.Context, io streams) error {
	a, err := arm.ParseArchitecture(cmp.Or(c.Architecture, string(arm.Host())))
	_, noFolder := os.Stat(filepath.Dir(c.Out))
	switch {
	case err != nil:
		return fmt.Errorf("reading --architecture: %w", err)
	case c.Layer == (c.Folder != ""):
		return errors.New("name a handler's folder, or --layer for the bootstrap alone: twinstart package ./my-handler --bootstrap rawsyscall -o fn.zip")
	case c.Bootstrap == "":
		return errors.New("say which bootstrap: --bootstrap rawsyscall (needs Go or a released archive) or --bootstrap bashtcp (needs neither)")
	case noFolder != nil:
		return fmt.Errorf("there is no folder %s: create it", filepath.Dir(c.Out))
	case !c.Layer:
		h := handler.Handler{Dir: c.Folder, Name: c.Handler, Architecture: a, StaticBash: c.Bootstrap == "bashtcp-static"}
		notes, err := h.Check()
		if err != nil {
			return err
		}
		for _, n := range notes {
			fmt.Fprintln(io.err, "warning:", n.Text)
		}
	}
	w, err := workspace(ctx, c.Bootstrap, io)
	if err != nil {
		return err
	}
	w.Licences = true
	var made string
	if c.Layer {
		made, err = w.Layer(ctx, c.Bootstrap, a)
	} else {
		made, err = w.ZIP(ctx, c.Bootstrap, a, c.Folder)
	}
	if err != nil {
		return err
	}
	return c.write(made, a, io)
}

func (c *packageCommand) write(made string, a arm.Architecture, streams streams) error {
	content, err := os.ReadFile(made)
	if err == nil {
		err = archive.ReplaceFile(c.Out, 0o644, content)
	}
	if err != nil {
		return fmt.Errorf("writing the package: %w", err)
	}
	sum := sha256.Sum256(content)
	what := fmt.Sprintf("%s for %s", c.Bootstrap, a)
	if c.Layer {
		what += ", a layer for functions on provided.al2023 that have no bootstrap"
	} else {
		what += ", Runtime provided.al2023, Handler " + c.Handler
	}
	_, err = fmt.Fprintf(streams.out, "%s: %d kB, %s, CodeSha256 %s\n", c.Out, (len(content)+999)/1000, what, base64.StdEncoding.EncodeToString(sum[:]))
	return err
}

// workspace returns the workspace for a bootstrap: from the files of a release beside the command, else from sources.
func workspace(ctx context.Context, bootstrap string, io streams) (*packages.Workspace, error) {
	build, err := archive.Cache("build")
	if err != nil {
		return nil, err
	}
	w := &packages.Workspace{Dir: build, Log: io.err}
	if self, err := os.Executable(); err == nil {
		if self, err = filepath.EvalSymlinks(self); err == nil {
			w.Prebuilt = filepath.Join(filepath.Dir(self), "bootstraps")
		}
	}
	if _, err := os.Stat(w.Prebuilt); errors.Is(err, fs.ErrNotExist) && packages.Compiled(bootstrap) {
		version, _ := version()
		w.ModuleDir, err = packages.ModuleDir(ctx, version)
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}
