package deployment

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/twinstart/twinstart/lab/sandbox"
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

// baseFolders are folders of Lambda's base images. A COPY to one of them puts its file into the folder.
var baseFolders = []string{"/var/runtime", "/var/task", "/opt", "/usr/local/bin", "/usr/bin", "/etc"}

// entrypoint does what /lambda-entrypoint.sh of Lambda's base images does. CMD is the handler's name.
var entrypoint = []string{"/bin/sh", "-c", "export _HANDLER=$0; exec /var/runtime/bootstrap"}

// context reads a folder with a Dockerfile. The image is the Dockerfile's copies on top of its base.
func (p *Package) context(file string) error {
	definition, err := builder.Define(p.Path, file)
	if err != nil {
		return err
	}
	p.Kind, p.AtRoot = Context, true
	taskOnly := definition.Within(sandbox.TaskRoot)
	p.Image = &Image{Scratch: definition.Scratch(), TaskOnly: taskOnly, Config: definition.Config}
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

// Command returns the command that an image starts: an entry point and its arguments. The two parameters, if not empty,
// replace the image's values. As in Docker, a replaced entry point also drops the image's own arguments.
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
