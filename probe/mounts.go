package probe

import (
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// plan says what an environment is made of. It is plain data; mounts computes without privileges.
type plan struct {
	pkg          *coldfs.Package
	atRoot       bool            // the package's paths start at /
	scratch      bool            // and there is nothing below it
	base         *coldfs.Package // copies of the base's files that are used, cold; nil leaves the base as it is
	baseKnown    bool            // base is all that is used; nil is nothing
	below        sandbox.Layout
	mnt          string // with the empty folders root, layer and base
	startsGo     bool
	emulator     string
	stub         string // a folder with a file to bind the emulator on
	readAheadKiB int
}

// mounts computes the mounts and the folder that becomes the root.
func (p plan) mounts() (root string, mounts []sandbox.Mount) {
	var l sandbox.Layout
	if !p.scratch {
		l = p.below
	}
	l.Image, l.Folder, l.ReadAheadKiB, l.AtRoot, l.Files, l.MountOn, l.TmpMB = p.pkg.Image(), p.pkg.Folder(), p.readAheadKiB, p.atRoot, paths(p.pkg), p.mnt, 512
	if !p.scratch {
		if p.base != nil {
			l.Below = append(l.Below, sandbox.Layer{Name: "base", Image: p.base.Image(), Folder: p.base.Folder(), Files: paths(p.base)})
		}
		if p.emulator != "" {
			l.Below = append(l.Below, sandbox.Layer{Folder: p.stub})
		}
	}
	root, mounts = l.Mounts()
	if p.emulator != "" {
		mounts = append(mounts, sandbox.Mount{Kind: sandbox.Bind, Source: p.emulator, Target: "/" + emulatorPath})
	}
	return root, mounts
}

func paths(of *coldfs.Package) (out []string) {
	for _, f := range of.Files {
		out = append(out, f.Path)
	}
	return out
}
