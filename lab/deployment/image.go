package deployment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/builder"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Image describes a container image and its settings.
type Image struct {
	Scratch  bool // the image has no base
	TaskOnly bool // all files that it adds to its base are below /var/task
	v1.Config

	flat bool // the base's files are not separate from the added ones
}

// baseFolders are folders of Lambda's base images, which files are copied into.
var baseFolders = []string{"/var/runtime", "/var/task", "/opt", "/usr/local/bin", "/usr/bin", "/etc"}

// entrypoint does what /lambda-entrypoint.sh of Lambda's base images does: CMD names the handler.
var entrypoint = []string{"/bin/sh", "-c", "export _HANDLER=$0; exec /var/runtime/bootstrap"}

// context reads a folder with a Dockerfile. Its image copies files onto its base.
func (p *Package) context(file string) error {
	definition, err := builder.Define(p.Path, file)
	if err != nil {
		return err
	}
	p.Kind, p.AtRoot = Context, true
	p.Bytes, _ = archive.Size(p.Path) // Add reports files that cannot be read
	p.Image = &Image{Scratch: definition.Scratch(), TaskOnly: definition.Within(sandbox.TaskRoot), Config: definition.Config}
	if definition.Entrypoint == nil && definition.Cmd != nil && dockerfile.Provided(definition.From) {
		p.Image.Entrypoint = entrypoint
	}
	p.fill = func(dir string, needs Needs) error {
		if err := needs.meet(dir); err != nil {
			return err
		}
		for _, c := range definition.Copies {
			if dockerfile.Provided(definition.From) && slices.Contains(baseFolders, path.Clean(c.Dest)) {
				if err := os.MkdirAll(filepath.Join(dir, c.Dest), 0o755); err != nil {
					return fmt.Errorf("laying out an image: %w", err)
				}
			}
		}
		return definition.LayOut(dir)
	}
	return nil
}

// Command returns the command that an image starts: the entry point, then its arguments. A non-empty override
// replaces the image's value. As in Docker, another entry point drops the image's own arguments.
func (i *Image) Command(entryPoint, arguments []string) []string {
	command := i.Cmd
	if len(entryPoint) > 0 {
		command = nil
	} else {
		entryPoint = i.Entrypoint
	}
	if len(arguments) > 0 {
		command = arguments
	}
	return slices.Concat(entryPoint, command)
}

// Dir returns the folder in which the image's command starts.
func (i *Image) Dir() string { return path.Join("/", i.WorkingDir) }

// IsReference reports whether arg is an image's name in a registry and not a path: it has a tag, a digest, or a
// host before the first slash.
func IsReference(arg string) bool {
	if arg == "" || strings.HasPrefix(arg, ".") || filepath.IsAbs(arg) || strings.ContainsAny(arg, "*? ") {
		return false
	}
	host, rest, below := strings.Cut(arg, "/")
	if below && rest != "" && (strings.Contains(host, ".") || strings.HasPrefix(host, "localhost")) {
		_, err := name.ParseReference(arg)
		return err == nil
	}
	if !strings.Contains(arg, ":") && !strings.Contains(arg, "@") {
		return false
	}
	_, err := name.ParseReference(arg)
	return err == nil
}

// Pull copies an image from a registry to the user's cache as an OCI layout. The cache keeps it by its digest.
func Pull(ctx context.Context, reference string, a arm.Architecture) (dir string, err error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return "", fmt.Errorf("reading the image's name: %w", err)
	}
	img, err := remote.Image(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: a.GOARCH()}), remote.WithUserAgent("twinstart"))
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w (if it is in a local Docker: docker save %s -o image.tar, and name image.tar)", reference, oneLine(err), reference)
	}
	digest, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w", reference, err)
	}
	if dir, err = archive.Cache("pulled", digest.Hex); err != nil {
		return "", err
	}
	err = archive.Once(dir, func(dir string) error {
		to, err := layout.Write(dir, empty.Index)
		if err != nil {
			return err
		}
		return to.AppendImage(img)
	})
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w", reference, oneLine(err))
	}
	return dir, nil
}

// oneLine puts a registry's answer on one line.
func oneLine(err error) error {
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
