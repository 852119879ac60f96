package probe

import (
	"path/filepath"
	"slices"
	"strings"

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
	root         string          // of the base
	hostMounts   []string
	mnt          string // with the empty folders root, layer and base
	emulator     string
	stub         string // a folder with a file to bind the emulator on
	readAheadKiB int
}

// mounts computes the mounts and the folder that becomes the root.
func (p plan) mounts() (root string, mounts []sandbox.Mount) {
	root = filepath.Join(p.mnt, "root")
	loop := func(of *coldfs.Package, target string, onHost bool) sandbox.Mount {
		if of.Image() != "" {
			return sandbox.Mount{Kind: sandbox.Loop, Source: of.Image(), Target: target, ReadAheadKiB: p.readAheadKiB, OnHost: onHost}
		}
		return sandbox.Mount{Kind: sandbox.Bind, Source: of.Folder(), Target: target, OnHost: onHost}
	}
	var layers []layered // over the base, uppermost first
	layer := func(of *coldfs.Package, name string) {
		dir := of.Folder()
		if of.Image() != "" {
			dir = filepath.Join(p.mnt, name)
			mounts = append(mounts, loop(of, dir, true))
		}
		layers = append(layers, layered{dir, of.Files})
	}
	switch {
	case p.scratch:
		mounts = append(mounts, loop(p.pkg, "/", false))
	default:
		if p.atRoot {
			layer(p.pkg, "layer")
		}
		if p.base != nil {
			layer(p.base, "base")
		}
		if p.emulator != "" {
			layers = append(layers, layered{dir: p.stub})
		}
		if len(layers) == 0 {
			root = p.root
			mounts = append(mounts, sandbox.Mount{Kind: sandbox.Bind, Source: p.root, Target: "/"})
			break
		}
		over := sandbox.Mount{Kind: sandbox.Overlay, Target: "/"}
		for _, l := range layers {
			over.Layers = append(over.Layers, l.dir)
		}
		over.Layers = append(over.Layers, p.root)
		mounts = append(mounts, over)
	}
	if !p.scratch {
		for _, dir := range p.hostMounts {
			mounts = append(mounts, hostMount(dir, layers))
		}
	}
	mounts = append(mounts,
		sandbox.Mount{Kind: sandbox.Proc, Target: "/proc"},
		sandbox.Mount{Kind: sandbox.Dev, Target: "/dev"},
		sandbox.Mount{Kind: sandbox.Tmpfs, Target: "/tmp", SizeMB: 512},
	)
	if !p.atRoot {
		mounts = append(mounts, loop(p.pkg, sandbox.TaskRoot, false))
	}
	if p.emulator != "" {
		mounts = append(mounts, sandbox.Mount{Kind: sandbox.Bind, Source: p.emulator, Target: "/" + emulatorPath})
	}
	return root, mounts
}

// layered is a folder that is laid over the base, with the files in it.
type layered struct {
	dir   string
	files []coldfs.File
}

// hostMount is a folder of the host, under the layers that have files in it.
func hostMount(dir string, layers []layered) sandbox.Mount {
	m := sandbox.Mount{Kind: sandbox.Overlay, Target: dir}
	for _, l := range layers {
		if slices.ContainsFunc(l.files, func(f coldfs.File) bool { return strings.HasPrefix("/"+f.Path, dir+"/") }) {
			m.Layers = append(m.Layers, filepath.Join(l.dir, dir))
		}
	}
	if len(m.Layers) == 0 {
		return sandbox.Mount{Kind: sandbox.Bind, Source: dir, Target: dir}
	}
	m.Layers = append(m.Layers, dir)
	return m
}
