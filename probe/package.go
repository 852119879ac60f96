package probe

import (
	"cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// Package is a deployment package, and how its function is configured.
type Package struct {
	*deployment.Package
	Handler      string // "" means handler.run, unless it is an image
	MemorySizeMB int    // 0 means 1024
	Environment  map[string]string
	Event        string // payload of the first invocation, if Options has none; "" means {}

	image assembly.ImageConfig // overrides an image's settings
}

// Of returns the package of a function of an assembly.
func Of(f assembly.Function) (*Package, error) {
	p, err := deployment.Of(f)
	if err != nil {
		return nil, err
	}
	out := &Package{Package: p, Handler: f.Handler, MemorySizeMB: f.MemorySizeMB,
		Environment: f.Environment, Event: f.Identity.Event, image: f.ImageConfig}
	if p.Image != nil {
		p.Image.WorkingDir = cmp.Or(f.ImageConfig.WorkingDirectory, p.Image.WorkingDir)
	}
	return out, nil
}

// event returns the payload of the first invocation.
func (p *Package) event(given []byte) []byte { return arm.Identity{Event: p.Event}.Payload(given) }

// scratch reports whether the package is an image FROM scratch.
func (p *Package) scratch() bool { return p.Image != nil && p.Image.Scratch }

// needs returns the mount points that an image FROM scratch must have: folders, and a file for an emulator.
func (p *Package) needs() (n deployment.Needs) {
	if p.scratch() {
		n = deployment.Needs{Folders: append(lab.MountPoints(), sandbox.TaskRoot), Files: []string{emulatorPath}}
	}
	return n
}

// dir returns the working folder of the bootstrap.
func (p *Package) dir() string {
	if p.Image == nil {
		return sandbox.TaskRoot
	}
	return p.Image.Dir()
}

// variables returns the environment variables that an image sets.
func (p *Package) variables() []string {
	if p.Image == nil {
		return nil
	}
	return p.Image.Env
}
