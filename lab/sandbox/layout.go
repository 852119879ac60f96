package sandbox

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// Layout describes the parts of an execution environment's root.
type Layout struct {
	// Base is the root file system that the package is mounted on. It is "" for an image FROM scratch: its package is
	// the whole root.
	Base string
	// HostMounts are folders of the host, such as /usr, to bind-mount on a base that uses the host's own system.
	HostMounts []string
	// Instead maps a file of the base to the file of the base that is mounted over it.
	Instead map[string]string
	// Image is an ext4 image with the package, Folder is a folder with it. One of them is set.
	Image, Folder string
	ReadAheadKiB  int
	// AtRoot is set if the package's paths start at /, as an image's do, and not at /var/task.
	AtRoot bool
	// TaskOnly is set if AtRoot is set and all paths are below /var/task or /opt, where the base has no files.
	TaskOnly bool
	// Files lists the package's files if AtRoot is set: slash-separated, without a leading slash.
	Files []string
	// Below lists layers between the package and the base, uppermost first.
	Below []Layer
	// MountOn is a folder of the host with mount points: root, layer, and one for each layer in Below. The mounts are
	// visible in the environment only.
	MountOn string
	// Runtime is a folder with a managed runtime, or "": lang is mounted at /var/lang, runtime at /var/runtime.
	Runtime string
	// Extra has additional files. A key is the name of a file in /dev, or the path of a file that replaces the base's.
	Extra   map[string][]byte
	TmpMB   int
	TmpDisk string // device of a coldfs.Disk for /tmp; "" means memory
}

// Layer is laid over the layers below it.
type Layer struct {
	Name          string // name of the folder to mount an image on
	Image, Folder string
	Files         []string // see Layout.Files
}

// has reports whether a layer has files below an absolute path.
func (l Layer) has(dir string) bool {
	return slices.ContainsFunc(l.Files, func(file string) bool { return strings.HasPrefix("/"+file, dir+"/") })
}

// A ZIP package and its layers are mounted here, as on Lambda.
const (
	TaskRoot  = "/var/task"
	LayerRoot = "/opt"
)

// Mounts returns the mounts of a layout, and the folder that becomes the root.
func (l Layout) Mounts() (root string, mounts []Mount) {
	mount := func(of Layer, target string, onHost bool) Mount {
		if of.Image != "" {
			return Mount{Kind: inside.Loop, Source: of.Image, Target: target, ReadAheadKiB: l.ReadAheadKiB, OnHost: onHost}
		}
		return Mount{Kind: inside.Bind, Source: of.Folder, Target: target, OnHost: onHost}
	}
	// onHost mounts a layer on the host, so that it can be part of an overlay.
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
		over := Mount{Kind: inside.Overlay, Target: "/"}
		for _, layer := range layers {
			over.Layers = append(over.Layers, layer.Folder)
		}
		over.Layers = append(over.Layers, l.Base)
		mounts = append(mounts, over)
	default:
		root = l.Base
		mounts = append(mounts, Mount{Kind: inside.Bind, Source: l.Base, Target: "/"})
	}
	for _, path := range l.HostMounts {
		m := Mount{Kind: inside.Overlay, Target: path}
		for _, layer := range layers {
			if layer.has(path) {
				m.Layers = append(m.Layers, filepath.Join(layer.Folder, path))
			}
		}
		if m.Layers = append(m.Layers, path); len(m.Layers) == 1 {
			m = Mount{Kind: inside.Bind, Source: path, Target: path}
		}
		mounts = append(mounts, m)
	}
	for file, other := range l.Instead {
		mounts = append(mounts, Mount{Kind: inside.Bind, Source: filepath.Join(root, other), Target: file})
	}
	if l.Runtime != "" {
		for _, dir := range []string{"lang", "runtime"} {
			mounts = append(mounts, Mount{Kind: inside.Bind, Source: filepath.Join(l.Runtime, dir), Target: "/var/" + dir})
		}
	}
	tmp := Mount{Kind: inside.Tmpfs, Target: "/tmp", SizeMB: l.TmpMB}
	if l.TmpDisk != "" {
		tmp = Mount{Kind: inside.Disk, Target: "/tmp", Source: l.TmpDisk}
	}
	dev := Mount{Kind: inside.Dev, Target: "/dev", Files: l.Extra}
	mounts = append(mounts, Mount{Kind: inside.Proc, Target: "/proc"}, dev, tmp)
	switch {
	case l.Base == "":
	case l.TaskOnly:
		// An overlay would also work, but it looks up every path again, even with a warm base: INIT of bashcurl
		// takes 7 % longer.
		for _, dir := range []string{TaskRoot, LayerRoot} {
			if dir == TaskRoot || pkg.has(dir) {
				mounts = append(mounts, Mount{Kind: inside.Bind, Source: filepath.Join(pkg.Folder, dir), Target: dir})
			}
		}
	case !l.AtRoot:
		mounts = append(mounts, mount(pkg, TaskRoot, false))
	}
	return root, mounts
}
