package packages

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
)

// importRoot is the import path of the Go bootstraps' folder. They are built by import path, never by folder, so that a
// module that only requires this one can build them from the module cache.
const importRoot = modulePath + "/runtime/"

// buildFlags make the bytes depend only on source and toolchain: no paths, no VCS state, no build id. lambda.norpc
// removes the RPC loop of Lambda's retired go1.x runtime from aws-lambda-go; no other package uses this tag.
var buildFlags = []string{"-trimpath", "-buildvcs=false", "-tags=lambda.norpc"}

// linkFlags leave out symbols and debug information, which only debuggers read.
const linkFlags = "-ldflags=-s -w -buildid="

// linkFlags returns the linker's flags for one program. rawsyscall does not start in Go's runtime; its package comment
// says why.
func (g goMain) linkFlags() string {
	if g == "rawsyscall" {
		return linkFlags + " -E=main.entry"
	}
	return linkFlags
}

// goMain is the recipe of a Go main package. Its value is the name of the folder below runtime/.
type goMain string

func (g goMain) prepare(ctx context.Context, w *Workspace, a arm.Architecture) (string, writer, error) {
	listing, err := w.listGo(ctx, a)
	if err != nil {
		return "", nil, err
	}
	key, err := listing.key(importRoot+string(g), g.linkFlags())
	return key, func(dir string) error {
		return w.link(ctx, importRoot+string(g), g.linkFlags(), a, filepath.Join(dir, "bootstrap"))
	}, err
}

// Program builds any Go program for Lambda, by its import path, into a file.
func (w *Workspace) Program(ctx context.Context, importPath string, a arm.Architecture, file string) error {
	if err := w.link(ctx, importPath, linkFlags, a, file); err != nil {
		return about(importPath, err)
	}
	return nil
}

func (w *Workspace) link(ctx context.Context, importPath, linkFlags string, a arm.Architecture, file string) error {
	args := append([]string{"build"}, buildFlags...)
	_, err := w.runGo(ctx, a, append(args, linkFlags, "-o", file, importPath)...)
	return err
}

// runGo runs the go command in the module and returns its standard output. The result does not depend on the caller's
// variables. The instruction set levels are the lowest, because Lambda guarantees no others. GOFLAGS (-mod=vendor) and
// GOTOOLCHAIN are not changed.
func (w *Workspace) runGo(ctx context.Context, a arm.Architecture, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = w.ModuleDir, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+a.GOARCH(),
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, &UnavailableError{What: "a Go bootstrap", Why: "go is not in PATH",
			Remedy: "install Go from https://go.dev/dl, or use a released archive of Twinstart, which contains it"}
	case err != nil && stderr.Len() > 0:
		return out, fmt.Errorf("running go %s: %w: %s", args[0], err, list.OneLine(stderr.String()))
	case err != nil:
		return out, fmt.Errorf("running go %s: %w", args[0], err)
	}
	return out, nil
}

// modulePath is the path of this module.
const modulePath = "github.com/twinstart/twinstart"

// compiled reports whether a bootstrap is a Go program, so that Go is needed to build it.
func compiled(bootstrap string) bool {
	b, _ := find(bootstrap)
	_, script := b.recipe.(script)
	_, static := b.recipe.(ownBash)
	return b.Name != "" && !script && !static
}

// moduleDir returns the folder in which Go finds the sources of the bootstraps. It is "", the working folder, if that
// is in this module or in one that requires it. Otherwise Go downloads the given version of this module, and moduleDir
// returns its folder in the module cache.
func moduleDir(ctx context.Context, version string) (string, error) {
	w := &Workspace{}
	if _, err := w.runGo(ctx, arm.ARM64, "list", "-f", "{{.ImportPath}}", importRoot+"rawsyscall"); err == nil {
		return "", nil
	}
	if version == "(devel)" || strings.HasSuffix(version, "+dirty") {
		return "", errors.New("this twinstart was built in a clone of the repository, where the bootstraps' sources are: " +
			"run it there, or use a released archive")
	}
	out, err := w.runGo(ctx, arm.ARM64, "mod", "download", "-json", modulePath+"@"+version)
	var unavailable *UnavailableError
	if errors.As(err, &unavailable) || ctx.Err() != nil {
		return "", err
	}
	var module struct{ Dir, Error string }
	_ = json.Unmarshal(out, &module) // it also contains Go's own error
	if module.Dir == "" {
		return "", fmt.Errorf("the bootstraps' sources are not available (%s@%s: %s): "+
			"use a released archive, or run this in a clone of the repository",
			modulePath, version, cmp.Or(list.OneLine(module.Error), fmt.Sprint(err)))
	}
	return module.Dir, nil
}

// golangListing is the output of `go list` for all Go bootstraps and everything that they link, by import path.
type golangListing map[string]listedPackage

type listedPackage struct {
	ImportPath string
	BuildID    string // a hash of everything that went into the package, and of the compiled package
	Deps       []string
	Error      *struct{ Err string }
	DepsErrors []*struct{ Err string }
}

// listGo runs `go list -export` once per architecture. That compiles packages that are not in Go's build cache, links
// nothing, and reports the build IDs, which are hashes of content. So the result is never stale.
func (w *Workspace) listGo(ctx context.Context, a arm.Architecture) (golangListing, error) {
	if l := w.golang[a]; l != nil {
		return l, nil
	}
	const fields = "-json=ImportPath,BuildID,Deps,Error,DepsErrors"
	args := append([]string{"list", "-e", "-export", "-deps", fields}, buildFlags...)
	for _, b := range bootstraps {
		if g, ok := b.recipe.(goMain); ok {
			args = append(args, importRoot+string(g))
		}
	}
	out, err := w.runGo(ctx, a, args...)
	if err != nil {
		return nil, err
	}
	l := golangListing{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var p listedPackage
		if err := decoder.Decode(&p); err != nil {
			return nil, fmt.Errorf("reading go list's answer: %w", err)
		}
		l[p.ImportPath] = p
	}
	if w.golang == nil {
		w.golang = map[arm.Architecture]golangListing{}
	}
	w.golang[a] = l
	return l, nil
}

// key hashes the build IDs of everything that a main package links.
func (l golangListing) key(path, linkFlags string) (string, error) {
	p := l[path]
	switch {
	case p.Error != nil:
		return "", errors.New(list.OneLine(p.Error.Err))
	case len(p.DepsErrors) > 0:
		return "", errors.New(list.OneLine(p.DepsErrors[0].Err))
	case p.BuildID == "":
		return "", fmt.Errorf("%s does not compile: see `go build %s`", path, path)
	}
	h := sha256.New()
	fmt.Fprintln(h, linkFlags, buildFlags, p.BuildID)
	for _, dep := range p.Deps {
		fmt.Fprintln(h, dep, l[dep].BuildID)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
