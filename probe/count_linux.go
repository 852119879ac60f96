package probe

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
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
