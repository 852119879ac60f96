package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

func TestLayouts(t *testing.T) {
	const after = "proc /proc\ndev /dev\ntmpfs /tmp 512 MB\n"
	for name, test := range map[string]struct {
		layout     Layout
		root, want string
	}{
		"ZIP on the host's /usr": {Layout{Base: "/state/base", HostMounts: []string{"/usr"}, Image: "/state/p.ext4", ReadAheadKiB: 128, MountOn: "/state/mnt", TmpMB: 512},
			"/state/base", "bind /state/base on /\nbind /usr on /usr\n" + after + "loop /state/p.ext4 on /var/task, read-ahead 128\n"},
		"ZIP as a folder": {Layout{Base: "/al2023", Folder: "/state/p.tree", MountOn: "/state/mnt", TmpMB: 512},
			"/al2023", "bind /al2023 on /\n" + after + "bind /state/p.tree on /var/task\n"},
		"image FROM scratch": {Layout{AtRoot: true, Image: "/state/p.ext4", MountOn: "/state/mnt", TmpMB: 512},
			"/state/mnt/root", "loop /state/p.ext4 on /, read-ahead 0\n" + after},
		"image FROM scratch as a folder": {Layout{AtRoot: true, Folder: "/state/p.tree", MountOn: "/state/mnt", TmpMB: 512},
			"/state/mnt/root", "bind /state/p.tree on /\n" + after},
		"image on the host's /usr": {Layout{Base: "/state/base", HostMounts: []string{"/usr"}, AtRoot: true, Files: []string{"var/task/bootstrap"}, Image: "/state/p.ext4", MountOn: "/state/mnt", TmpMB: 512},
			"/state/mnt/root", "loop /state/p.ext4 on host's /state/mnt/layer, read-ahead 0\noverlay [/state/mnt/layer /state/base] on /\nbind /usr on /usr\n" + after},
		"image with files in /var/task only": {Layout{Base: "/state/base", HostMounts: []string{"/usr"}, AtRoot: true, TaskOnly: true, Files: []string{"var/task/bootstrap"}, Image: "/state/p.ext4", MountOn: "/state/mnt", TmpMB: 512},
			"/state/base", "loop /state/p.ext4 on host's /state/mnt/layer, read-ahead 0\nbind /state/base on /\nbind /usr on /usr\n" + after + "bind /state/mnt/layer/var/task on /var/task\n"},
		"image with files in /var/task only, as a folder": {Layout{Base: "/al2023", AtRoot: true, TaskOnly: true, Folder: "/state/p.tree", MountOn: "/state/mnt", TmpMB: 512},
			"/al2023", "bind /al2023 on /\n" + after + "bind /state/p.tree/var/task on /var/task\n"},
		"ZIP over cold files of the base": {Layout{Base: "/state/base", HostMounts: []string{"/usr"}, Image: "/state/p.ext4", Below: []Layer{{Name: "base", Image: "/state/b.ext4", Files: []string{"usr/bin/bash"}}, {Folder: "/stub"}}, MountOn: "/state/mnt", TmpMB: 512},
			"/state/mnt/root", "loop /state/b.ext4 on host's /state/mnt/base, read-ahead 0\noverlay [/state/mnt/base /stub /state/base] on /\noverlay [/state/mnt/base/usr /usr] on /usr\n" + after + "loop /state/p.ext4 on /var/task, read-ahead 0\n"},
		"image with files in /usr": {Layout{Base: "/state/base", HostMounts: []string{"/usr"}, AtRoot: true, Files: []string{"usr/bin/x"}, Folder: "/state/p.tree", MountOn: "/state/mnt", TmpMB: 512},
			"/state/mnt/root", "overlay [/state/p.tree /state/base] on /\noverlay [/state/p.tree/usr /usr] on /usr\n" + after},
	} {
		root, mounts := test.layout.Mounts()
		var b strings.Builder
		for _, m := range mounts {
			switch m.Kind {
			case inside.Bind:
				fmt.Fprintf(&b, "bind %s on %s", m.Source, m.Target)
			case inside.Loop:
				on := "on "
				if m.OnHost {
					on = "on host's "
				}
				fmt.Fprintf(&b, "loop %s %s%s, read-ahead %d", m.Source, on, m.Target, m.ReadAheadKiB)
			case inside.Overlay:
				fmt.Fprintf(&b, "overlay %v on %s", m.Layers, m.Target)
			case inside.Tmpfs:
				fmt.Fprintf(&b, "tmpfs %s %d MB", m.Target, m.SizeMB)
			default:
				fmt.Fprintf(&b, "%s %s", m.Kind, m.Target)
			}
			b.WriteByte('\n')
		}
		if root != test.root || b.String() != test.want {
			t.Errorf("%s: got root %s\n%s\nwant %s\n%s", name, root, b.String(), test.root, test.want)
		}
	}
}
