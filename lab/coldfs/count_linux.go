package coldfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Count counts the package's pages that are in memory. root is the package's folder or mount point.
func (p *Package) Count(root string) (Read, error) {
	var total Read
	err := p.each(root, "counting the pages of", func(path string) error {
		in, err := Pages(path)
		read := Sum(in)
		total.KiB, total.Chunks = total.KiB+read.KiB, total.Chunks+read.Chunks
		return err
	})
	return total, err
}

// each calls do for each file of the package below root, except for those that this process may not read: without
// privileges, the bootstrap may not read them either.
func (p *Package) each(root, doing string, do func(path string) error) error {
	for _, file := range p.Files {
		if file.Size == 0 {
			continue
		}
		if err := do(filepath.Join(root, file.Path)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%s %s: %w", doing, file.Path, err)
		}
	}
	return nil
}

// Pages returns a byte for each page of a file; bit 0 says whether the page is in memory.
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
	first, result := uintptr(unsafe.Pointer(&mem[0])), uintptr(unsafe.Pointer(&in[0]))
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, first, uintptr(size), result); errno != 0 {
		return nil, os.NewSyscallError("mincore", errno)
	}
	return in, nil
}

// Drop removes a folder's clean pages from the page cache. Pages that a running process has mapped stay.
func (p *Package) Drop() error {
	return p.each(p.folder, "making a package cold:", func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return os.NewSyscallError("posix_fadvise", unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
	})
}

// Describe says how the file system of dir affects packages that are folders: they have the disk's read-ahead, and on a
// tmpfs they are never cold. It continues a warning.
func Describe(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err == nil && st.Type == unix.TMPFS_MAGIC {
		return "that does nothing for " + dir + ", a tmpfs: choose a folder on a disk"
	}
	text := "the read-ahead is that of their disk"
	if kib, err := DiskReadAheadKiB(dir); err == nil {
		text += fmt.Sprintf(", %d KiB", kib)
	}
	return text
}

// DiskReadAheadKiB returns the read-ahead of the file system that a folder is on.
func DiskReadAheadKiB(dir string) (int, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return 0, err
	}
	device := fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	text, err := os.ReadFile("/sys/class/bdi/" + device + "/read_ahead_kb")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
