package deployment

import (
	"path"
	"slices"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/builder"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Image describes a container image and its settings.
type Image struct {
	Scratch    bool // the image has no base
	TaskOnly   bool // all files that it adds to its base are below /var/task
	Entrypoint []string
	Cmd        []string
	Env        []dockerfile.KV
	WorkDir    string

	flat bool // the base's files are not separate from the added ones
}

// context reads a folder with a Dockerfile. Its image copies files onto its base.
func (p *Package) context(file string) error {
	definition, err := builder.Define(p.Path, file)
	if err != nil {
		return err
	}
	p.Kind, p.AtRoot = Context, true
	p.Bytes, _ = archive.Size(p.Path) // Add reports files that cannot be read
	p.Image = &Image{Scratch: definition.Scratch(), TaskOnly: definition.Within(sandbox.TaskRoot), Entrypoint: definition.Entrypoint, Cmd: definition.Cmd,
		Env: definition.Env, WorkDir: definition.WorkDir}
	p.add = func(s *coldfs.Store, needs Needs) (*coldfs.Package, error) {
		digest, err := archive.FolderDigest(p.Path)
		if err != nil {
			return nil, err
		}
		return s.Add(needs.digest("image", digest), func(dir string) error {
			if err := needs.meet(dir); err != nil {
				return err
			}
			return definition.LayOut(dir)
		})
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
func (i *Image) Dir() string { return path.Join("/", i.WorkDir) }
