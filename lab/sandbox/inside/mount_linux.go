package inside

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/twinstart/twinstart/lab/coldfs/loop"
	"golang.org/x/sys/unix"
)

// layOut makes the mounts of a spec in this process's mount namespace and makes the spec's root the root of this
// process.
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
		if err := m.apply(target); err != nil {
			if _, missing := os.Stat(m.Source); i > 0 && !m.OnHost && errors.Is(err, unix.ENOENT) && (m.Source == "" || missing == nil) {
				return fmt.Errorf("%w: the root file system needs a folder %s to mount on", err, m.Target)
			}
			return err
		}
	}
	return enter(spec.Root)
}

// apply mounts m on target, which is a path of the host as this process sees it.
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
		return mount(device.Name(), target, "ext4", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOATIME, "")
	case Overlay:
		layers := make([]string, len(m.Layers))
		for i, layer := range m.Layers {
			layers[i] = strings.NewReplacer(`\`, `\\`, ":", `\:`, ",", `\,`).Replace(layer)
		}
		return mount("overlay", target, "overlay", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, "lowerdir="+strings.Join(layers, ":"))
	case Proc:
		return mount("proc", target, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	case Tmpfs:
		return mount("tmpfs", target, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("mode=1777,size=%dm", m.SizeMB))
	case Disk:
		if err := mount(m.Source, target, "ext4", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOATIME, "noinit_itable,barrier=0"); err != nil {
			return err
		}
		_ = os.Remove(path.Join(target, "lost+found"))
		return os.Chmod(target, 0o777|os.ModeSticky)
	case Dev:
		return devices(target, m.Files)
	}
	return fmt.Errorf("mounting %s: unknown kind %q", target, m.Kind)
}

// devices makes a new /dev with the devices that a function may use, and these files. A file whose name begins with a
// slash is in the place of a file of the root.
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
		// In a user namespace device nodes cannot be made, so the host's devices are mounted over empty files.
		if err := os.WriteFile(node, nil, 0o666); err != nil {
			return err
		}
		if err := mount("/dev/"+device.name, node, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	for name, to := range map[string]string{"stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(to, path.Join(target, name)); err != nil {
			return err
		}
	}
	for name, content := range files {
		file := path.Join(target, path.Base(name))
		if err := os.WriteFile(file, content, 0o444); err != nil {
			return err
		}
		if path.IsAbs(name) {
			if err := errors.Join(mount(file, path.Join(target, "..", name), "", unix.MS_BIND, ""), os.Remove(file)); err != nil {
				return err
			}
		}
	}
	return os.Chmod(target, 0o555) // in a user namespace the function owns /dev, but on Lambda it cannot add files
}

// readOnly makes a bind mount and the mounts below it read-only. It keeps all other flags, because they may be
// locked.
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

// mount is mount(2).
func mount(source, target, fstype string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, fstype, flags, data); err != nil {
		return &os.PathError{Op: fmt.Sprintf("mount(%s, type %q, flags %#x, %q)", source, fstype, flags, data), Path: target, Err: err}
	}
	return nil
}
