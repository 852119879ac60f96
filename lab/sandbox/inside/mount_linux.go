package inside

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/coldfs/loop"
)

// layOut makes the mounts of a spec in this process's mount namespace. Then it makes spec.Root this process's root.
func layOut(spec Spec) error {
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if spec.Probe {
		return Mount{Kind: Proc}.apply("/proc")
	}
	for i, m := range spec.Mounts {
		target := m.Target
		if !m.OnHost {
			target = path.Join(spec.Root, m.Target)
		}
		err := m.apply(target)
		if i > 0 && !m.OnHost && errors.Is(err, unix.ENOENT) {
			if _, missing := os.Stat(m.Source); m.Source == "" || missing == nil {
				return fmt.Errorf("%w: the root file system needs a folder %s to mount on", err, m.Target)
			}
		}
		if err != nil {
			return err
		}
	}
	return enter(spec.Root)
}

// plain are the flags of mounts without set-user-ID programs and devices.
const plain = unix.MS_NOSUID | unix.MS_NODEV

// apply mounts m on target, a path in this process's present root.
func (m Mount) apply(target string) error {
	switch m.Kind {
	case Bind:
		if err := mount(m.Source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return err
		}
		return readOnly(target)
	case Writable: // a folder below another mount may not exist
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		return mount(m.Source, target, "", unix.MS_BIND|unix.MS_REC, "")
	case Loop:
		device, err := loop.Attach(m.Source, m.ReadAheadKiB)
		if err != nil {
			return err
		}
		defer device.Close()
		return mount(device.Name(), target, "ext4", unix.MS_RDONLY|unix.MS_NOATIME|plain, "")
	case Overlay:
		layers := make([]string, len(m.Layers))
		for i, layer := range m.Layers {
			layers[i] = strings.NewReplacer(`\`, `\\`, ":", `\:`, ",", `\,`).Replace(layer)
		}
		return mount("overlay", target, "overlay", unix.MS_RDONLY|plain, "lowerdir="+strings.Join(layers, ":"))
	case Proc:
		return mount("proc", target, "proc", unix.MS_NOEXEC|plain, "")
	case Tmpfs:
		return mount("tmpfs", target, "tmpfs", plain, fmt.Sprintf("mode=1777,size=%dm", m.SizeMB))
	case Disk:
		if err := mount(m.Source, target, "ext4", unix.MS_NOATIME|plain, "noinit_itable,barrier=0"); err != nil {
			return err
		}
		_ = os.Remove(path.Join(target, "lost+found"))
		return os.Chmod(target, 0o777|os.ModeSticky)
	case Dev:
		return devices(target, m.Files)
	}
	return fmt.Errorf("mounting %s: unknown kind %q", target, m.Kind)
}

// readOnly makes a bind mount and the mounts below it read-only. It keeps all other flags, because they may be locked.
func readOnly(target string) error {
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID}
	if err := unix.MountSetattr(unix.AT_FDCWD, target, unix.AT_RECURSIVE, &attr); err != nil {
		return &os.PathError{Op: "mount_setattr(MOUNT_ATTR_RDONLY)", Path: target, Err: err}
	}
	return nil
}

// enter makes root the root of this process and detaches the old one. See pivot_root(2), "pivot_root(".", ".")".
func enter(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return &os.PathError{Op: "pivot_root", Path: root, Err: err}
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return &os.PathError{Op: "umount2(MNT_DETACH)", Path: "old root", Err: err}
	}
	return os.Chdir("/")
}

// mount calls mount(2). Its error has all arguments.
func mount(source, target, fstype string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, fstype, flags, data); err != nil {
		op := fmt.Sprintf("mount(%s, type %q, flags %#x, %q)", source, fstype, flags, data)
		return &os.PathError{Op: op, Path: target, Err: err}
	}
	return nil
}

// devices makes a new /dev with the devices that a function may use, and with files. If a file's name is an absolute
// path, it is mounted there, over the root's file.
func devices(target string, files map[string][]byte) error {
	if err := mount("tmpfs", target, "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=755,size=64k"); err != nil {
		return err
	}
	for _, device := range []struct {
		name  string
		minor uint32
	}{{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}} {
		node := path.Join(target, device.name)
		if unix.Mknod(node, unix.S_IFCHR|0o666, int(unix.Mkdev(1, device.minor))) == nil {
			if err := os.Chmod(node, 0o666); err != nil {
				return err
			}
			continue
		}
		// A user namespace does not allow device nodes, so the host's devices are mounted over empty files.
		if err := os.WriteFile(node, nil, 0o666); err != nil {
			return err
		}
		if err := mount("/dev/"+device.name, node, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	for n, name := range []string{"stdin", "stdout", "stderr"} {
		if err := os.Symlink("/proc/self/fd/"+strconv.Itoa(n), path.Join(target, name)); err != nil {
			return err
		}
	}
	for name, content := range files {
		file := path.Join(target, path.Base(name))
		if err := os.WriteFile(file, content, 0o444); err != nil {
			return err
		}
		if path.IsAbs(name) {
			err := mount(file, path.Join(target, "..", name), "", unix.MS_BIND, "")
			if err := errors.Join(err, os.Remove(file)); err != nil {
				return err
			}
		}
	}
	return os.Chmod(target, 0o555) // in a user namespace the function owns /dev, but on Lambda it cannot add files
}
