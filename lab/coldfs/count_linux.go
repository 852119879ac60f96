package coldfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Lambda loads a container image in chunks of this size (ATC'23, arXiv 2305.13162).
const chunk = 512 << 10

// Read is what of a package is in the page cache, which after a cold start is what was read of it.
type Read struct {
	KiB    int
	Chunks int // of 512 KiB, counted per file
}

// Count counts the pages in memory of the package's files below root, where the package is mounted or its folder.
func (p *Package) Count(root string) (Read, error) {
	var total Read
	pageSize := os.Getpagesize()
	for _, file := range p.Files {
		if file.Size == 0 {
			continue
		}
		pages, chunks, err := resident(filepath.Join(root, filepath.FromSlash(file.Path)), pageSize)
		if errors.Is(err, fs.ErrPermission) {
			continue // not readable to us: to the bootstrap neither, where we are unprivileged
		}
		if err != nil {
			return Read{}, fmt.Errorf("counting the pages of %s: %w", file.Path, err)
		}
		total.KiB += pages * pageSize >> 10
		total.Chunks += chunks
	}
	return total, nil
}

// Pages says of each page of a file whether it is in memory (bit 0).
func Pages(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err
	}
	size, pageSize := int(info.Size()), os.Getpagesize()
	mem, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	defer unix.Munmap(mem)
	in := make([]byte, (size+pageSize-1)/pageSize)
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mem[0])), uintptr(size), uintptr(unsafe.Pointer(&in[0]))); errno != 0 {
		return nil, os.NewSyscallError("mincore", errno)
	}
	return in, nil
}

func resident(path string, pageSize int) (pages, chunks int, err error) {
	in, err := Pages(path)
	last := -1
	for i, b := range in {
		if b&1 == 0 {
			continue
		}
		pages++
		if c := i * pageSize / chunk; c != last {
			chunks, last = chunks+1, c
		}
	}
	return pages, chunks, err
}

// Drop takes a folder's clean pages out of the page cache; those that a running process has mapped stay.
func (p *Package) Drop() error {
	for _, file := range p.Files {
		if file.Size == 0 {
			continue
		}
		f, err := os.Open(filepath.Join(p.folder, filepath.FromSlash(file.Path)))
		if errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return fmt.Errorf("making a package cold: %w", err)
		}
		err = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
		f.Close()
		if err != nil {
			return fmt.Errorf("making a package cold: %w", os.NewSyscallError("posix_fadvise", err))
		}
	}
	return nil
}

// Describe says what the file system of dir means for packages that are folders: read-ahead is the disk's, and memory is never cold.
func Describe(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err == nil && st.Type == unix.TMPFS_MAGIC {
		return ", which does nothing for " + dir + ", a tmpfs: choose a folder on a disk"
	}
	var info unix.Stat_t
	if err := unix.Stat(dir, &info); err != nil {
		return ""
	}
	text, err := os.ReadFile(fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", unix.Major(info.Dev), unix.Minor(info.Dev)))
	if err != nil {
		return " with the read-ahead of the disk they lie on"
	}
	return " with the read-ahead of the disk they lie on, " + strings.TrimSpace(string(text)) + " KiB"
}
