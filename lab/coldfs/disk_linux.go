package coldfs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/coldfs/loop"
)

// Disk is an empty ext4 file system. Each environment gets a copy that it can write to.
type Disk struct {
	size  int64            // bytes
	parts map[int64][]byte // the parts that are not zero, by offset
}

// NewDisk makes a file system with room for so many MB. dir is a folder for temporary files.
func NewDisk(dir string, roomMB int) (_ *Disk, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("making a disk of %d MB: %w", roomMB, err)
		}
	}()
	f, err := nameless(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := &Disk{size: int64(roomMB+roomMB/32+8) << 20, parts: map[int64][]byte{}} // with room for its tables
	err = run(mkfs, "-q", "-F", "-b", "4096", "-m", "0", "-i", "65536", "-O", "^has_journal,^resize_inode",
		"-E", "root_owner=0:0,lazy_itable_init=1,nodiscard",
		fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd()), strconv.FormatInt(d.size>>10, 10)+"k")
	for at := int64(0); err == nil; {
		if at, err = unix.Seek(int(f.Fd()), at, unix.SEEK_DATA); err != nil {
			break
		}
		var end int64
		if end, err = unix.Seek(int(f.Fd()), at, unix.SEEK_HOLE); err == nil {
			d.parts[at] = make([]byte, end-at)
			_, err = f.ReadAt(d.parts[at], at)
			at = end
		}
	}
	if errors.Is(err, unix.ENXIO) { // no more data
		return d, nil
	}
	return nil, err
}

// Attach puts a copy of the file system on a free loop device. Nothing is left once the device is closed and unmounted.
func (d *Disk) Attach(dir string) (*os.File, error) {
	f, err := nameless(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = f.Truncate(d.size)
	for at, part := range d.parts {
		if err == nil {
			_, err = f.WriteAt(part, at)
		}
	}
	if err != nil {
		return nil, err
	}
	return loop.AttachFile(f)
}

// nameless makes a file without a name on the file system of a folder. It is gone when it is closed.
func nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "disk-")
	if err == nil {
		err = os.Remove(f.Name())
	}
	return f, err
}

// The programs that make an image.
const (
	mkfs    = "mkfs.ext4"
	debugfs = "debugfs"
)

// program finds a program in PATH, or in Debian's folders for root's programs, which an ordinary user's PATH lacks.
func program(name string) (string, error) {
	for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: install the package e2fsprogs", name)
}

// run runs a program. Its output is part of the error.
func run(name string, args ...string) error {
	path, err := program(name)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(context.Background(), path, args...).CombinedOutput()
	if err == nil && name == debugfs && strings.Contains(string(out), "rmdir:") { // debugfs exits with 0 even then
		err = errors.New("it did not remove the folder")
	}
	if err != nil {
		return fmt.Errorf("running %s: %w: %s", name, err, strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}

// makeImage writes an ext4 image of a folder, to be mounted read-only. It has no journal, no reserved blocks and a
// fixed identity, so that the same folder always gives the same layout.
func makeImage(image, tree string, inodes, blocks int64) error {
	const identity = "8a1b7c52-0d5e-4c09-9b0e-7477696e7374"
	kib := (blocks+blocks/16+inodes/8)*block>>10 + 1024
	err := run(mkfs, "-q", "-F", "-b", strconv.Itoa(block), "-m", "0", "-N", strconv.FormatInt(inodes+32, 10),
		"-O", "^has_journal,^resize_inode", "-U", identity,
		"-E", "root_owner=0:0,lazy_itable_init=0,nodiscard,hash_seed="+identity,
		"-d", tree, image, strconv.FormatInt(kib, 10)+"k")
	if err != nil {
		return err
	}
	// Lambda's /var/task has no lost+found. A folder that belongs to root would break a handler's cp -r.
	if _, err := os.Lstat(filepath.Join(tree, lostAndFound)); err == nil {
		return nil // the package itself has a file of this name
	}
	return run(debugfs, "-w", "-R", "rmdir "+lostAndFound, image)
}

const lostAndFound = "lost+found"

// Usable returns why packages cannot be attached to loop devices here, or nil if they can. It attaches one to find out:
// root in a container or in a user namespace may open the devices but not set them up, which needs the same right as a
// mount.
func Usable() error {
	if os.Geteuid() != 0 {
		return errors.New("not root")
	}
	for _, name := range []string{mkfs, debugfs} {
		if _, err := program(name); err != nil {
			return err
		}
	}
	small, err := os.CreateTemp("", "twinstart-loop-")
	if err != nil {
		return err
	}
	defer os.Remove(small.Name())
	defer small.Close()
	if err := small.Truncate(1 << 20); err != nil {
		return err
	}
	device, err := loop.Attach(small.Name(), 128)
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w: CAP_SYS_ADMIN is missing", err)
	}
	if err != nil {
		return err
	}
	return device.Close()
}
