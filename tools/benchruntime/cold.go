//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/probe"
)

// coldRow is a row whose package is a disk image, of which no page is in memory where it has just been mounted.
type coldRow struct {
	*row
	image string
	moved *candidate // it, with its package at the mount point
}

// cold measures first responses of packages that are not in memory, as on Lambda, with the lab's disks and the kernel's read-ahead of 128 KiB. What is not
// of the package (a base's Bash, its libraries) is in memory, as it is there for the most part.
func cold(ctx context.Context, rows []*row, p plan) (warnings []string, err error) {
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
	disks, measured := map[*row]coldRow{}, []*row{}
	store := &coldfs.Store{Dir: filepath.Join(dir, "images"), Loop: true}
	for i, r := range rows {
		tree, err := store.Add(coldfs.Digest(fmt.Sprint(i)), r.layOut)
		if err != nil {
			r.without("times of a cold package", err)
			continue
		}
		disks[r] = coldRow{row: r, image: tree.Image(), moved: r.movedTo(at)}
		measured = append(measured, r)
	}
	done := make(chan struct{})
	go func() { // on a thread of its own, which ends with it
		defer close(done)
		if refused := ownMounts(); refused != nil { // root in a container may be
			warnings = append(warnings, fmt.Sprintf("first responses of cold packages are not measured: %v", refused))
			return
		}
		err = interleaved(ctx, "times of a cold package", measured, p.rounds, p.budget/2, p.seed+3, func(r *row) error { return disks[r].start(at) })
	}()
	<-done
	return warnings, err
}

// ownMounts gives this thread mounts that are of no concern to others and end with it. It must not run anything else afterwards.
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

// start is one cold start, its package freshly mounted.
func (r coldRow) start(at string) error {
	device, err := coldfs.Attach(r.image, probe.DefaultReadAheadKiB)
	if err != nil {
		return err
	}
	err = unix.Mount(device.Name(), at, "ext4", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOATIME, "")
	device.Close()
	if err != nil {
		return fmt.Errorf("mounting the package: %w", err)
	}
	defer unix.Unmount(at, unix.MNT_DETACH) //nolint:errcheck // the next mount covers it
	s, err := session(r.moved, 0, start, phase{})
	if err != nil {
		return err
	}
	r.coldFirst = append(r.coldFirst, s.first)
	return nil
}

// layOut copies the package's files into dir: the content of its one folder, else each by its name.
func (c *candidate) layOut(dir string) error {
	for _, path := range c.files {
		to := c.target(path, dir)
		if _, err := os.Lstat(to); err == nil && to != dir {
			return fmt.Errorf("two of its paths are named %s", filepath.Base(path))
		}
		if to == dir {
			path += "/."
		}
		if output, err := exec.CommandContext(context.Background(), "cp", "-RL", path, to).CombinedOutput(); err != nil {
			return fmt.Errorf("copying %s: %w: %s", path, err, output)
		}
	}
	return nil
}

// target is where a file or folder of the package lies if that is at dir.
func (c *candidate) target(path, dir string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() && len(c.files) == 1 {
		return dir
	}
	return filepath.Join(dir, filepath.Base(path))
}

// movedTo is the candidate with its package at dir.
func (c *candidate) movedTo(dir string) *candidate {
	moved := *c
	move := func(path string) string {
		for _, of := range c.files {
			if path == of {
				return c.target(of, dir)
			}
			if below, ok := strings.CutPrefix(path, of+"/"); ok {
				return filepath.Join(c.target(of, dir), below)
			}
		}
		return path
	}
	moved.argv = slices.Clone(c.argv)
	for i := range moved.argv {
		moved.argv[i] = move(c.argv[i])
	}
	moved.dir = move(c.dir)
	return &moved
}
