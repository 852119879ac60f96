package coldfs

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Disk is an empty ext4 file system that can be written to, to be copied for each environment.
type Disk struct {
	size  int64
	parts map[int64][]byte // what is not zero
}

// NewDisk makes a file system with room for so many MB. dir is for files on the way.
func NewDisk(dir string, roomMB int) (_ *Disk, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("making a disk of %d MB: %w", roomMB, err)
		}
	}()
	f, err := os.CreateTemp(dir, "disk-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	d := &Disk{size: int64(roomMB+roomMB/32+8) << 20, parts: map[int64][]byte{}} // the tables take some
	err = run(mkfs, "-q", "-F", "-b", "4096", "-m", "0", "-i", "65536", "-O", "^has_journal,^resize_inode", "-E", "root_owner=0:0,lazy_itable_init=1,nodiscard",
		f.Name(), strconv.FormatInt(d.size>>10, 10)+"k")
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

// Copy writes the file system to a new file in a folder.
func (d *Disk) Copy(dir string) (name string, err error) {
	f, err := os.CreateTemp(dir, "disk-")
	if err != nil {
		return "", err
	}
	err = f.Truncate(d.size)
	for at, part := range d.parts {
		if err == nil {
			_, err = f.WriteAt(part, at)
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
	}
	return f.Name(), err
}
