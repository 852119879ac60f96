package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/probe/readahead"
)

// counter counts what one cold start has read so far.
type counter struct {
	pkg   *Package
	plan  plan
	root  string
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
	if !c.pkg.AtRoot {
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

// look adds what has been touched by now, in the order of faults; what is in memory without a fault comes before them.
func (c *counter) look(t *touches) error {
	var faults []Fault
	if c.order != nil {
		var err error
		if faults, err = c.order.faults(); err != nil {
			return err
		}
	}
	if c.opens != nil {
		if err := c.opens.files(c.opened); err != nil {
			return err
		}
	}
	faulted := map[page]bool{}
	for _, f := range faults {
		faulted[f.page()] = true
	}
	var read []touch
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
			t.files[name] = File{Path: name, Package: own(name), Size: file.Size}
			for number, b := range in {
				if p := (page{name, number}); b&1 == 1 && !faulted[p] {
					read = append(read, touch{page: p})
				}
			}
		}
		return nil
	}
	at := "/var/task"
	if c.pkg.AtRoot {
		at = "/"
	}
	if err := add(c.plan.pkg, at, c.pkg.Own); err != nil {
		return err
	}
	if c.plan.base != nil {
		if err := add(c.plan.base, "/", func(string) bool { return false }); err != nil {
			return err
		}
	}
	known := map[page]bool{}
	for _, touch := range t.pages {
		known[touch.page] = true
	}
	t.add(read, known)
	for i := range faults {
		if _, counted := t.files[faults[i].Path]; counted {
			t.add([]touch{{faults[i].page(), &faults[i]}}, known)
		}
	}
	return nil
}

// page is the one that was touched.
func (f *Fault) page() page { return page{f.Path, int(f.Offset / readahead.PageSize)} }

// watch notes which files an environment opens.
type watch struct{ fd int }

// watchOpens marks mounts of an environment.
func watchOpens(root string, mounts []string) (*watch, error) {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK|unix.FAN_UNLIMITED_QUEUE, unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("fanotify_init", err)
	}
	for _, mount := range mounts {
		if err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD|unix.FAN_MARK_MOUNT, unix.FAN_OPEN, unix.AT_FDCWD, filepath.Join(root, mount)); err != nil {
			unix.Close(fd)
			return nil, &os.PathError{Op: "fanotify_mark", Path: mount, Err: err}
		}
	}
	return &watch{fd}, nil
}

// files adds the regular files opened since the last call, by their paths in the environment.
func (w *watch) files(opened map[string]bool) error {
	const header = 24
	buffer := make([]byte, 64<<10)
	for {
		n, err := unix.Read(w.fd, buffer)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.EAGAIN) || n == 0 {
			return nil
		}
		if err != nil {
			return os.NewSyscallError("read(fanotify)", err)
		}
		for rest := buffer[:n]; len(rest) >= header; {
			length := binary.NativeEndian.Uint32(rest)
			fd := int(int32(binary.NativeEndian.Uint32(rest[16:])))
			if length < header || int(length) > len(rest) {
				break
			}
			rest = rest[length:]
			if fd < 0 {
				continue
			}
			var st unix.Stat_t
			if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
				if name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil {
					opened[name] = true
				}
			}
			unix.Close(fd)
		}
	}
}

func (w *watch) close() { unix.Close(w.fd) }

// usedBase starts the package once and keeps copies of the base's files that it opened, to be mounted cold.
func (p *Prober) usedBase(ctx context.Context, pkg *Package, pl plan, argv []string, result *Result) (*coldfs.Package, error) {
	r, err := p.begin(pkg, pl, argv)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	w, err := watchOpens(r.Root(), append([]string{"/"}, pl.below.HostMounts...))
	if err != nil {
		return nil, fmt.Errorf("noting which files of the base are opened: %w", err)
	}
	defer w.close()
	if err := r.init(ctx, pkg.Name); err != nil {
		return nil, err
	}
	if result.FirstFailure, err = r.invoke(ctx, pkg.event(p.options.Event)); err != nil {
		return nil, err
	}
	opened := map[string]bool{}
	if err := w.files(opened); err != nil {
		return nil, err
	}
	var used, parts []string
	for path := range opened {
		info, err := os.Stat(filepath.Join(r.Root(), path))
		if err != nil || !info.Mode().IsRegular() || path == "/"+emulatorPath || pl.owns(path) {
			continue
		}
		used = append(used, path)
		parts = append(parts, fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano()))
	}
	if len(used) == 0 {
		return nil, nil
	}
	slices.Sort(used)
	slices.Sort(parts)
	return p.store.Add(coldfs.Digest(append([]string{"base"}, parts...)...), func(dir string) error {
		for _, path := range used {
			if err := archive.CopyFile(filepath.Join(r.Root(), path), filepath.Join(dir, path)); err != nil {
				return fmt.Errorf("copying %s of the base: %w", path, err)
			}
		}
		return nil
	})
}

// owns says whether a path is one of an image's own, which lies over the base.
func (p plan) owns(path string) bool {
	if !p.atRoot {
		return strings.HasPrefix(path, "/var/task/")
	}
	return slices.ContainsFunc(p.pkg.Files, func(f coldfs.File) bool { return "/"+f.Path == path })
}
