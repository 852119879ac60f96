package probe

import (
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Package is a deployment package, and how its function is configured.
type Package struct {
	*deployment.Package
	Handler      string // "" is handler.run, for what is not an image
	MemorySizeMB int    // 0 is 1024
	Environment  map[string]string

	command []string // of an image
}

// Open finds out what lies at a path.
func Open(path string) (*Package, error) {
	p, err := deployment.Open(path)
	if err != nil {
		return nil, err
	}
	out := &Package{Package: p}
	if p.Image != nil {
		out.command = p.Image.Command(nil, nil)
	}
	return out, nil
}

// Of is a function of an assembly.
func Of(f assembly.Function) (*Package, error) {
	p, err := deployment.Of(f)
	if err != nil {
		return nil, err
	}
	out := &Package{Package: p, Handler: f.Handler, MemorySizeMB: f.MemorySizeMB, Environment: f.Environment}
	if p.Image != nil {
		out.command = p.Image.Command(f.ImageConfig.EntryPoint, f.ImageConfig.Command)
		if dir := f.ImageConfig.WorkingDirectory; dir != "" {
			p.Image.WorkDir = dir
		}
	}
	return out, nil
}

func (p *Package) scratch() bool { return p.Image != nil && p.Image.Scratch }

// needs are the folders that a root file system must have to be mounted on, and a file to bind an emulator on.
func (p *Package) needs() (n deployment.Needs) {
	if p.scratch() {
		n = deployment.Needs{Folders: append(lab.MountPoints(), sandbox.TaskRoot), Files: []string{emulatorPath}}
	}
	return n
}

// dir is where its bootstrap starts.
func (p *Package) dir() string {
	if p.Image == nil {
		return sandbox.TaskRoot
	}
	return p.Image.Dir()
}

// variables are an image's own.
func (p *Package) variables() []dockerfile.KV {
	if p.Image == nil {
		return nil
	}
	return p.Image.Env
}
