package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/probe/readahead"
)

// counter counts what one cold start has read so far.
type counter struct {
	plan  plan
	root  string
	order *sampler // of first touches; nil if only the pages in memory are known
	opens *watch   // nil if every file is counted
}

// manyFiles is the least number of files at which look counts only those that were opened: each takes 50 us or more.
const manyFiles = 300

// look adds the pages that were touched since the last look, in the order of faults. Pages that came into memory
// without a fault are first.
func (c *counter) look(t *touches) (err error) {
	var faults []Fault
	if c.order != nil {
		if faults, err = c.order.faults(); err != nil {
			return err
		}
	}
	if c.opens != nil {
		if err := c.opens.read(); err != nil {
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
			if file.Size == 0 || c.opens != nil && !c.opens.files[name] {
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
	at := sandbox.TaskRoot
	if c.plan.AtRoot {
		at = "/"
	}
	if err := add(c.plan.content, at, c.plan.Own); err != nil {
		return err
	}
	if c.plan.base != nil {
		if err := add(c.plan.base, "/", func(string) bool { return false }); err != nil {
			return err
		}
	}
	for i := range faults {
		if _, counted := t.files[faults[i].Path]; counted {
			read = append(read, touch{faults[i].page(), &faults[i]})
		}
	}
	t.add(read)
	return nil
}

// page returns the page that was touched.
func (f *Fault) page() page { return page{f.Path, int(f.Offset / readahead.PageSize)} }

// watch records which files an environment opens.
type watch struct {
	fd    int
	files map[string]bool // the regular files, by their paths in the environment, until the last read
}

// watchOpens watches the mounts of an environment from now on. root is the host's path of the environment's root.
func watchOpens(root string, p plan) (*watch, error) {
	mounts := []string{"/"}
	if !p.scratch() {
		mounts = append(mounts, p.below.HostMounts...)
	}
	if !p.AtRoot {
		mounts = append(mounts, sandbox.TaskRoot)
	}
	const flags = unix.FAN_CLASS_NOTIF | unix.FAN_CLOEXEC | unix.FAN_NONBLOCK | unix.FAN_UNLIMITED_QUEUE
	fd, err := unix.FanotifyInit(flags, unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("fanotify_init", err)
	}
	for _, mount := range mounts {
		at := filepath.Join(root, mount)
		err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD|unix.FAN_MARK_MOUNT, unix.FAN_OPEN, unix.AT_FDCWD, at)
		if err != nil {
			unix.Close(fd)
			return nil, &os.PathError{Op: "fanotify_mark", Path: mount, Err: err}
		}
	}
	return &watch{fd, map[string]bool{}}, nil
}

// read adds the files that were opened since the last read.
func (w *watch) read() error {
	const header = unix.FAN_EVENT_METADATA_LEN
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
			event := (*unix.FanotifyEventMetadata)(unsafe.Pointer(&rest[0]))
			if event.Event_len < header || int(event.Event_len) > len(rest) {
				break
			}
			fd := int(event.Fd)
			if rest = rest[event.Event_len:]; fd < 0 {
				continue
			}
			var st unix.Stat_t
			if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
				if name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil {
					w.files[name] = true
				}
			}
			unix.Close(fd)
		}
	}
}

func (w *watch) close() { unix.Close(w.fd) }

// usedBase starts the package once and copies the base's files that it opens, to be mounted cold. It returns nil if the
// package opens none.
func (p *Prober) usedBase(ctx context.Context, pl plan, result *Result) (*coldfs.Package, error) {
	r, err := p.begin(pl)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	w, err := watchOpens(r.Root(), pl)
	if err != nil {
		return nil, fmt.Errorf("noting which files of the base are opened: %w", err)
	}
	defer w.close()
	if err := r.init(ctx); err != nil {
		return nil, err
	}
	if result.FirstFailure, err = r.invoke(ctx); err != nil {
		return nil, err
	}
	if err := w.read(); err != nil {
		return nil, err
	}
	var used, parts []string
	for path := range w.files {
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
