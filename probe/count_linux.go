package probe

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/probe/readahead"
)

// counter counts what one cold start has read so far.
type counter struct {
	pkg   *Package
	plan  plan
	root  string
	group group
	order *sampler // of first touches; nil counts pages in memory alone

	opens  *watch          // nil: every file is looked at
	opened map[string]bool // by opens, so far
}

// manyFiles is from how many files on only those that were opened are looked at: to look at one costs 50 us or more.
const manyFiles = 300

// watch notes which files are opened from now on, where there are many.
func (c *counter) watch() {
	if len(c.plan.pkg.Files) < manyFiles {
		return
	}
	mounts := append([]string{"/"}, c.plan.below.HostMounts...)
	if c.plan.scratch {
		mounts = mounts[:1]
	}
	if !c.pkg.atRoot() {
		mounts = append(mounts, sandbox.TaskRoot)
	}
	if w, err := watchOpens(c.root, mounts); err == nil {
		c.opens, c.opened = w, map[string]bool{}
	}
}

func (c *counter) close() {
	if c.order != nil {
		c.order.close()
	}
	if c.opens != nil {
		c.opens.close()
	}
}

// count counts the package's files and the base's, for each read-ahead of the group. note, where it is not nil, keeps which pages they were.
func (c *counter) count(note *Result) ([]Count, error) {
	counts := make([]Count, len(c.group.readAheads))
	touches := map[string][]int{} // pages that faulted, by path, in order
	if c.order != nil {
		faults, err := c.order.faults()
		if err != nil {
			return nil, err
		}
		for _, f := range faults {
			touches[f.Path] = append(touches[f.Path], int(f.Offset/readahead.PageSize))
		}
		if note != nil {
			note.Faults = faults
		}
	}
	if c.opens != nil {
		if err := c.opens.files(c.opened); err != nil {
			return nil, err
		}
	}
	if note != nil {
		note.Files = nil
	}
	for i := range counts {
		counts[i].BaseCounted = c.plan.baseKnown || c.pkg.scratch()
	}
	add := func(of *coldfs.Package, at string, own func(string) bool) error {
		for _, file := range of.Files {
			name := path.Join(at, file.Path)
			if file.Size == 0 || c.opens != nil && !c.opened[name] {
				continue
			}
			in, err := coldfs.Pages(filepath.Join(c.root, name))
			if errors.Is(err, os.ErrPermission) {
				continue
			}
			if err != nil {
				return fmt.Errorf("counting the pages of %s: %w", name, err)
			}
			for i, readAhead := range c.group.readAheads {
				read := in
				if readAhead != c.group.mounted {
					read = withReadAhead(file.Size, in, touches[name], readAhead)
				}
				counts[i].add(name, read, own(name))
				if note != nil {
					note.note(name, own(name), file.Size, read, readAhead)
				}
			}
		}
		return nil
	}
	at := "/var/task"
	if c.pkg.atRoot() {
		at = "/"
	}
	if err := add(c.plan.pkg, at, c.pkg.Own); err != nil {
		return nil, err
	}
	if c.plan.base != nil {
		if err := add(c.plan.base, "/", func(string) bool { return false }); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// withReadAhead says which pages of a file are read with read-ahead. in are those in memory without, faults those that faulted, in order.
// What is in memory without a fault was read by read(2), or by exec, which comes before what is mapped.
func withReadAhead(size int64, in []byte, faults []int, readAheadKiB int) []byte {
	f := readahead.New(size, readAheadKiB)
	faulted := make([]bool, len(in))
	for _, page := range faults {
		if page < len(in) {
			faulted[page] = true
		}
	}
	for page, b := range in {
		if b&1 == 1 && !faulted[page] {
			f.Read(page)
		}
	}
	for _, page := range faults {
		f.Fault(page)
	}
	return f.Pages()
}

const chunk = 512 << 10

// add counts one file.
func (c *Count) add(name string, in []byte, own bool) {
	pageSize := os.Getpagesize()
	pages, chunks, last := 0, 0, -1
	for i, b := range in {
		if b&1 == 0 {
			continue
		}
		pages++
		if n := i * pageSize / chunk; n != last {
			chunks, last = chunks+1, n
		}
	}
	kib := pages * pageSize >> 10
	if own {
		c.PackageKiB, c.PackageChunks = c.PackageKiB+kib, c.PackageChunks+chunks
		return
	}
	c.BaseKiB, c.BaseChunks = c.BaseKiB+kib, c.BaseChunks+chunks
	if base := path.Base(name); strings.HasPrefix(base, "ld-") || strings.HasPrefix(base, "libc.so") || strings.HasPrefix(base, "libc-") || strings.HasPrefix(base, "ld.so") {
		c.LibcKiB += kib
	}
}

// note keeps which pages of a file were read.
func (r *Result) note(name string, own bool, size int64, in []byte, readAheadKiB int) {
	i := slices.IndexFunc(r.Files, func(f File) bool { return f.Path == name })
	if i < 0 {
		r.Files = append(r.Files, File{Path: name, Package: own, Size: size})
		i = len(r.Files) - 1
	}
	if readAheadKiB == 0 {
		r.Files[i].Touched = in
	} else {
		r.Files[i].ReadAhead = in
	}
}
