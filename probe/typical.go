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

// Starts of one program differ: threads run in parallel, timers fire, and each additional page opens a window of
// read-ahead. So a typical start is counted: the pages that at least half of the starts touch, in the order of their
// median ranks, with read-ahead computed once for this order. Each unusual start would change a mean of counts. It
// changes the typical start only if half of the starts are unusual.

type page struct {
	path   string
	number int
}

// touch is the first touch of a page. fault is nil if the page came into memory without a fault, by read(2) or exec.
type touch struct {
	page
	fault *Fault
}

// touches are the pages that a start has touched, in the order of their first touches. The first next of them were
// touched until GET /next.
type touches struct {
	pages []touch
	next  int
	files map[string]File // the files of pages, without Touched and ReadAhead
}

// add appends the touches of pages that were not touched before.
func (t *touches) add(more []touch) {
	known := map[page]bool{}
	for _, touch := range t.pages {
		known[touch.page] = true
	}
	for _, touch := range more {
		if !known[touch.page] {
			known[touch.page] = true
			t.pages = append(t.pages, touch)
		}
	}
}

func typical(starts []*touches) *touches { return common(starts, 1, 2) }

// common returns the pages that at least numerator/denominator of the starts touch, in the order of median ranks.
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
		return cmp.Or(ranks[a.page]-ranks[b.page], cmp.Compare(a.path, b.path), a.number-b.number)
	})
	return out
}

// sure is the largest difference that unsure accepts, as a fraction of the KiB.
const sure = 0.001

// unsure reports whether more starts may change which pages are typical: the pages that at least a third of the starts
// touch, and the pages that at least two thirds touch, have different KiB in total.
func unsure(starts []*touches, readAheadKiB, mounted int) bool {
	some, most := common(starts, 1, 3).count(readAheadKiB, mounted), common(starts, 2, 3).count(readAheadKiB, mounted)
	a, b := some.PackageKiB+some.BaseKiB, most.PackageKiB+most.BaseKiB
	return math.Abs(float64(a-b)) > sure*float64(a)
}

// standardError returns the standard error of the package's KiB in the typical start, by the jackknife: each start is
// left out once. It is 0 for fewer than two starts.
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

// libc matches the C library's files, its loader, and the compiler's library, which every base has beside them.
var libc = regexp.MustCompile(`^(ld-.*|ld\.so.*|(libc|libm|libdl|librt|libpthread|libgcc_s)[.-].*)$`)

// add counts the pages of a file of the package (own) or of the base.
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

// read returns which pages of each file are read with a read-ahead: a byte for each page, 1 if it is read. mounted is
// the read-ahead that the touches were recorded with. If it is the same, the touched pages already include it.
func (t *touches) read(readAheadKiB, mounted int) map[string][]byte {
	files := map[string]*readahead.File{}
	if readAheadKiB == mounted {
		readAheadKiB = 0
	}
	for _, touch := range t.pages {
		f := files[touch.path]
		if f == nil {
			f = readahead.New(t.files[touch.path].Size, readAheadKiB)
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

// count adds up what is read with a read-ahead.
func (t *touches) count(readAheadKiB, mounted int) (c Count) {
	for path, pages := range t.read(readAheadKiB, mounted) {
		c.add(path, pages, t.files[path].Package)
	}
	return c
}
