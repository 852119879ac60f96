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
	// Package is where the package lies: an ext4 image or a folder.
	Image, Folder string
	ReadAheadKiB  int
	// AtRoot: the package's paths start at /, as an image's do, instead of at /var/task.
	AtRoot bool
	// TaskOnly: all of them lie below /var/task even so, of which the base has nothing.
	TaskOnly bool
	// Files are the package's, where AtRoot: slash-separated, without a slash at the start.
	Files []string
	// MountOn is a folder of the host with two empty folders, root and layer, to mount on where nobody else sees it.
	MountOn string
	TmpMB   int
}

// has says whether the package has files below an absolute path.
func (l Layout) has(dir string) bool {
	return slices.ContainsFunc(l.Files, func(file string) bool { return strings.HasPrefix("/"+file, dir+"/") })
}

// TaskRoot is where a ZIP package is mounted, as on Lambda.
const TaskRoot = "/var/task"

// Mounts computes the mounts of a layout and the folder that becomes the root.
func (l Layout) Mounts() (root string, mounts []Mount) {
	pkg := func(target string, onHost bool) Mount {
		if l.Image != "" {
			return Mount{Kind: Loop, Source: l.Image, Target: target, ReadAheadKiB: l.ReadAheadKiB, OnHost: onHost}
		}
		return Mount{Kind: Bind, Source: l.Folder, Target: target, OnHost: onHost}
	}
	root = filepath.Join(l.MountOn, "root")
	layer := l.Folder
	if l.Base != "" && l.AtRoot && l.Image != "" {
		layer = filepath.Join(l.MountOn, "layer")
		mounts = append(mounts, pkg(layer, true))
	}
	switch {
	case l.Base == "":
		mounts = append(mounts, pkg("/", false))
	case l.AtRoot && !l.TaskOnly:
		mounts = append(mounts, Mount{Kind: Overlay, Layers: []string{layer, l.Base}, Target: "/"})
	default:
		root = l.Base
		mounts = append(mounts, Mount{Kind: Bind, Source: l.Base, Target: "/"})
	}
	for _, path := range l.HostMounts {
		m := Mount{Kind: Bind, Source: path, Target: path}
		if l.AtRoot && l.has(path) {
			m = Mount{Kind: Overlay, Layers: []string{filepath.Join(layer, path), path}, Target: path}
		}
		mounts = append(mounts, m)
	}
	mounts = append(mounts,
		Mount{Kind: Proc, Target: "/proc"},
		Mount{Kind: Dev, Target: "/dev"},
		Mount{Kind: Tmpfs, Target: "/tmp", SizeMB: l.TmpMB},
	)
	switch {
	case l.Base == "":
	case l.TaskOnly:
		// An overlay would do as well, but looks every path up anew that a warm base knows: 7 % more for an INIT of bashcurl.
		mounts = append(mounts, Mount{Kind: Bind, Source: filepath.Join(layer, TaskRoot), Target: TaskRoot})
	case !l.AtRoot:
		mounts = append(mounts, pkg(TaskRoot, false))
	}
	return root, mounts
}
