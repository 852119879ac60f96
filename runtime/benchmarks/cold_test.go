//go:build linux

package benchmarks

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/coldfs/loop"
	"github.com/twinstart/twinstart/probe"
)

// cold measures first responses of packages that are not in memory, as on Lambda, with the lab's disks and the
// kernel's read-ahead of 128 KiB. Everything outside the package (a base's Bash, its libraries) is in memory, as on
// Lambda for the most part.
func cold(ctx context.Context, rows []*row) (warnings []string, err error) {
	if err := coldfs.Usable(); err != nil {
		return []string{fmt.Sprintf("first responses of cold packages are not measured: %v", err)}, nil
	}
	dir, err := os.MkdirTemp("", "twinstart-cold-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	at := filepath.Join(dir, "package")
	if err := os.Mkdir(at, 0o755); err != nil {
		return nil, err
	}
	images, measured := map[*row]string{}, []*row{}
	store := &coldfs.Store{Dir: filepath.Join(dir, "images"), Loop: true}
	for i, r := range rows {
		tree, err := store.Add(coldfs.Digest(fmt.Sprint(i)), r.layOut)
		if err != nil {
			r.without("times of a cold package", err)
			continue
		}
		images[r] = tree.Image()
		measured = append(measured, r)
	}
	done := make(chan struct{})
	go func() { // on its own thread, which ends with it
		defer close(done)
		if refused := ownMounts(); refused != nil { // root in a container may not be allowed to
			warnings = append(warnings, fmt.Sprintf("first responses of cold packages are not measured: %v", refused))
			return
		}
		err = interleaved(ctx, "times of a cold package", measured, *rounds, *seed+3, func(r *row) error {
			return r.startCold(images[r], at)
		})
	}()
	<-done
	return warnings, err
}

// ownMounts gives this thread its own mounts, which end with it. The thread must not run anything else afterwards.
func ownMounts() error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unsharing mounts: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("unsharing mounts: %w", err)
	}
	return nil
}

// startCold measures one cold start. The package is mounted again over the copy that is in memory.
func (r *row) startCold(image, at string) error {
	device, err := loop.Attach(image, probe.DefaultReadAheadKiB)
	if err != nil {
		return err
	}
	err = unix.Mount(device.Name(), at, "ext4", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOATIME, "")
	device.Close()
	if err != nil {
		return fmt.Errorf("mounting the package: %w", err)
	}
	mounted := []string{at}
	defer func() {
		for _, path := range slices.Backward(mounted) {
			_ = unix.Unmount(path, unix.MNT_DETACH) // the next mount covers it
		}
	}()
	for _, path := range r.files {
		if err := unix.Mount(filepath.Join(at, filepath.Base(path)), path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting the package's %s: %w", path, err)
		}
		mounted = append(mounted, path)
	}
	s, err := session(r.candidate, 0, start, phase{})
	if err != nil {
		return err
	}
	r.add(coldFirst, s.first)
	return nil
}

// layOut copies the package's files into dir, each under its own name.
func (c *candidate) layOut(dir string) error {
	for _, path := range c.files {
		to := filepath.Join(dir, filepath.Base(path))
		if _, err := os.Lstat(to); err == nil {
			return fmt.Errorf("two of its paths are named %s", filepath.Base(path))
		}
		if output, err := exec.CommandContext(context.Background(), "cp", "-RL", path, to).CombinedOutput(); err != nil {
			return fmt.Errorf("copying %s: %w: %s", path, err, output)
		}
	}
	return nil
}
