package probe

import (
	"cmp"
	"math"
	"path"
	"regexp"
	"slices"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/probe/readahead"
)

// A program's starts differ: threads run beside each other, timers fire, and each page more opens a window of
// read-ahead. What is counted is a typical start: the pages that at least half of the starts touch, in the order of
// their median ranks, read through the windows once. A mean of counts is moved by each odd start; a typical start is
// not, until odd starts are half of them.

// page of a file.
type page struct {
	path   string
	number int
}

// touch is the first of a page. fault is nil where the page was in memory without one: read by read(2), or by exec.
type touch struct {
	page
	fault *Fault
}

// touches are what a start has touched of the files that are counted, first first. The first next of them were until
// GET /next.
type touches struct {
	pages []touch
	next  int
	files map[string]File // without their pages
}

// untilNext is the part until GET /next.
func (t *touches) untilNext() *touches {
	return &touches{pages: t.pages[:t.next], next: t.next, files: t.files}
}

// add appends what is new.
func (t *touches) add(more []touch, known map[page]bool) {
	for _, touch := range more {
		if !known[touch.page] {
			known[touch.page] = true
			t.pages = append(t.pages, touch)
		}
	}
}

// typical is the typical one of some starts.
func typical(starts []*touches) *touches { return common(starts, 1, 2) }

// common are the pages that at least a part of the starts touch: numerator of denominator.
func common(starts []*touches, numerator, denominator int) *touches {
	type seen struct {
		ranks []int
		reads int
		fault *Fault
	}
	all, out := map[page]*seen{}, &touches{files: map[string]File{}}
	for _, s := range starts {
		for path, file := range s.files {
			out.files[path] = file
		}
		for rank, t := range s.pages {
			p := all[t.page]
			if p == nil {
				p = &seen{}
				all[t.page] = p
			}
			p.ranks = append(p.ranks, rank)
			if t.fault == nil {
				p.reads++
			} else if p.fault == nil {
				p.fault = t.fault
			}
		}
	}
	ranks := map[page]int{} // twice the median
	for at, p := range all {
		n := len(p.ranks)
		if denominator*n < numerator*len(starts) {
			continue
		}
		slices.Sort(p.ranks)
		ranks[at] = p.ranks[(n-1)/2] + p.ranks[n/2]
		if 2*p.reads > n {
			p.fault = nil
		}
		out.pages = append(out.pages, touch{at, p.fault})
	}
	slices.SortFunc(out.pages, func(a, b touch) int {
		return cmp.Or(cmp.Compare(ranks[a.page], ranks[b.page]), cmp.Compare(a.path, b.path), cmp.Compare(a.number, b.number))
	})
	return out
}

// read says which pages of each file are read with read-ahead; with windows of 0 KiB those that were touched. mounted
// is the read-ahead that the touches were seen with, which they hold already.
func (t *touches) read(readAheadKiB, mounted int) map[string][]byte {
	files := map[string]*readahead.File{}
	for _, touch := range t.pages {
		f := files[touch.path]
		if f == nil {
			windows := readAheadKiB
			if readAheadKiB == mounted {
				windows = 0
			}
			f = readahead.New(t.files[touch.path].Size, windows)
			files[touch.path] = f
		}
		if touch.fault == nil {
			f.Read(touch.number)
		} else {
			f.Fault(touch.number)
		}
	}
	out := map[string][]byte{}
	for path, f := range files {
		out[path] = f.Pages()
	}
	return out
}

// count adds up what is read with read-ahead.
func (t *touches) count(readAheadKiB, mounted int) (c Count) {
	for path, pages := range t.read(readAheadKiB, mounted) {
		c.add(path, pages, t.files[path].Package)
	}
	return c
}

// sure is how much the KiB of starts may differ for which pages are typical to be known, as a part of them.
const sure = 0.001

// unsure says whether some pages are in so many starts that they may be typical or not: a third of the starts has other
// KiB than two thirds, of all that is read.
func unsure(starts []*touches, readAheadKiB, mounted int) bool {
	some, most := common(starts, 1, 3).count(readAheadKiB, mounted), common(starts, 2, 3).count(readAheadKiB, mounted)
	a, b := some.PackageKiB+some.BaseKiB, most.PackageKiB+most.BaseKiB
	return math.Abs(float64(a-b)) > sure*float64(a)
}

// standardError is of the KiB of the package that a typical start of starts reads, by leaving each of them out (the
// jackknife); 0 of fewer than two starts.
func standardError(starts []*touches, readAheadKiB, mounted int) float64 {
	n := len(starts)
	if n < 2 {
		return 0
	}
	sum, squares := 0.0, 0.0
	for i := range starts {
		kib := float64(typical(slices.Delete(slices.Clone(starts), i, i+1)).count(readAheadKiB, mounted).PackageKiB)
		sum, squares = sum+kib, squares+kib*kib
	}
	mean := sum / float64(n)
	return math.Sqrt(max(0, squares/float64(n)-mean*mean) * float64(n-1))
}

// libc are the C library's files, its loader, and the compiler's own library, which is beside them in every base.
var libc = regexp.MustCompile(`^(ld-.*|ld\.so.*|(libc|libm|libdl|librt|libpthread|libgcc_s)[.-].*)$`)

// add counts one file.
func (c *Count) add(name string, in []byte, own bool) {
	read := coldfs.Sum(in)
	if own {
		c.PackageKiB, c.PackageChunks = c.PackageKiB+read.KiB, c.PackageChunks+read.Chunks
		return
	}
	c.BaseKiB, c.BaseChunks = c.BaseKiB+read.KiB, c.BaseChunks+read.Chunks
	if libc.MatchString(path.Base(name)) {
		c.LibcKiB += read.KiB
	}
}
