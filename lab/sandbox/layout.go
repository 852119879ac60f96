package sandbox

import (
	"path/filepath"
	"slices"
	"strings"
)

// Layout says what an execution environment is made of.
type Layout struct {
	// Base is the folder with everything below the package; "" for an image FROM scratch, whose package is the whole root.
	Base string
	// HostMounts are bind mounts on a base that stands for the host's own system (/usr and the like).
	HostMounts []string
	// Instead has files of the base and which other file of the base lies in their place.
	Instead map[string]string
	// Image and Folder say where the package lies: one of them, an ext4 image or a folder.
	Image, Folder string
	ReadAheadKiB  int
	// AtRoot: the package's paths start at /, as an image's do, instead of at /var/task.
	AtRoot bool
	// TaskOnly: all of them lie below /var/task, and /opt, even so, of which the base has nothing.
	TaskOnly bool
	// Files are the package's, where AtRoot: slash-separated, without a slash at the start.
	Files []string
	// Below lie between the package and the base, uppermost first.
	Below []Layer
	// MountOn is a folder of the host with empty folders, root, layer and one for each layer below, to mount on where nobody else sees it.
	MountOn string
	TmpMB   int
}

// Layer is laid over what is below it.
type Layer struct {
	Name          string // of the folder to mount an image on
	Image, Folder string
	Files         []string // as of a Layout
}

// has says whether a layer has files below an absolute path.
func (l Layer) has(dir string) bool {
	return slices.ContainsFunc(l.Files, func(file string) bool { return strings.HasPrefix("/"+file, dir+"/") })
}

// Where a ZIP package and its layers are mounted, as on Lambda.
const (
	TaskRoot  = "/var/task"
	LayerRoot = "/opt"
)

// Mounts computes the mounts of a layout and the folder that becomes the root.
func (l Layout) Mounts() (root string, mounts []Mount) {
	mount := func(of Layer, target string, onHost bool) Mount {
		if of.Image != "" {
			return Mount{Kind: Loop, Source: of.Image, Target: target, ReadAheadKiB: l.ReadAheadKiB, OnHost: onHost}
		}
		return Mount{Kind: Bind, Source: of.Folder, Target: target, OnHost: onHost}
	}
	// onHost is where a layer's files lie, to be laid over others.
	onHost := func(of Layer) Layer {
		if of.Image != "" {
			of.Folder = filepath.Join(l.MountOn, of.Name)
			mounts = append(mounts, mount(of, of.Folder, true))
		}
		return of
	}
	pkg := Layer{Name: "layer", Image: l.Image, Folder: l.Folder, Files: l.Files}
	root = filepath.Join(l.MountOn, "root")
	var layers []Layer
	if l.Base != "" && l.AtRoot {
		at := onHost(pkg)
		if pkg.Folder = at.Folder; !l.TaskOnly {
			layers = append(layers, at)
		}
	}
	for _, layer := range l.Below {
		layers = append(layers, onHost(layer))
	}
	switch {
	case l.Base == "":
		mounts = append(mounts, mount(pkg, "/", false))
	case len(layers) > 0:
		over := Mount{Kind: Overlay, Target: "/"}
		for _, layer := range layers {
			over.Layers = append(over.Layers, layer.Folder)
		}
		over.Layers = append(over.Layers, l.Base)
		mounts = append(mounts, over)
	default:
		root = l.Base
		mounts = append(mounts, Mount{Kind: Bind, Source: l.Base, Target: "/"})
	}
	for _, path := range l.HostMounts {
		m := Mount{Kind: Overlay, Target: path}
		for _, layer := range layers {
			if layer.has(path) {
				m.Layers = append(m.Layers, filepath.Join(layer.Folder, path))
			}
		}
		if m.Layers = append(m.Layers, path); len(m.Layers) == 1 {
			m = Mount{Kind: Bind, Source: path, Target: path}
		}
		mounts = append(mounts, m)
	}
	for file, other := range l.Instead {
		mounts = append(mounts, Mount{Kind: Bind, Source: filepath.Join(root, other), Target: file})
	}
	mounts = append(mounts,
		Mount{Kind: Proc, Target: "/proc"},
		Mount{Kind: Dev, Target: "/dev"},
		Mount{Kind: Tmpfs, Target: "/tmp", SizeMB: l.TmpMB},
	)
	switch {
	case l.Base == "":
	case l.TaskOnly:
		// An overlay would do as well, but looks every path up again, though the base is warm: 7 % more for an INIT of bashcurl.
		for _, dir := range []string{TaskRoot, LayerRoot} {
			if dir == TaskRoot || pkg.has(dir) {
				mounts = append(mounts, Mount{Kind: Bind, Source: filepath.Join(pkg.Folder, dir), Target: dir})
			}
		}
	case !l.AtRoot:
		mounts = append(mounts, mount(pkg, TaskRoot, false))
	}
	return root, mounts
}
