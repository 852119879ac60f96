// Package readahead computes which pages of a file Linux reads if pages are touched in a known order: the read-ahead
// windows, without a page cache. Kernels differ in their windows, and a machine can only show those of its kernel. What
// is computed is the same on every machine. Pages have 4 KiB. At first no page of a file is in memory.
//
// It follows Linux 5.10 to 6.16, which Lambda's kernels are assumed to be: mm/filemap.c (do_sync_mmap_readahead,
// do_async_mmap_readahead) for mapped files and mm/readahead.c (ondemand_readahead) for read(2). If a mapped page is
// missing, the window around it is read. The last quarter of a window begins with a marked page; if that is touched,
// the pages after the window are read ahead. In Linux 6.17 (commit 3b61a3f08949) the window of mapped code begins with
// the missing page.
//
// Three things are left out. One is mmap_miss: Linux stops reading around once a file has 100 more misses than hits.
// Only a file larger than 12 MB can reach that, with touches further apart than a window. The others are madvise, and
// more than one open file at a time.
package readahead

// PageSize is the size of a page in bytes on both of Lambda's architectures.
const PageSize = 4096

// File is one file whose pages are read as they are touched. At first none is in memory.
type File struct {
	in    []byte // for each page 1 if it is in memory, as in mincore(2)
	marks map[int]bool
	max   int // the largest window, in pages; 0 means no read-ahead

	start, size, ahead int // struct file_ra_state: the latest window; ahead is its async_size
	previous           int // the page that read(2) has read last
}

// New returns a file of so many bytes on a device with so many KiB of read-ahead.
func New(bytes int64, readAheadKiB int) *File {
	pages := (bytes + PageSize - 1) / PageSize
	return &File{in: make([]byte, pages), marks: map[int]bool{}, max: readAheadKiB << 10 / PageSize, previous: -1}
}

// Pages returns a byte for each page; bit 0 says whether it is in memory, as in mincore(2).
func (f *File) Pages() []byte { return f.in }

// Fault touches a mapped page.
func (f *File) Fault(page int) {
	switch {
	case page < 0 || page >= len(f.in):
	case f.in[page] == 1:
		f.hit(page, f.max)
	case f.max == 0:
		f.in[page] = 1
	default:
		f.start, f.size, f.ahead = max(0, page-f.max/2), f.max, f.max/4
		f.submit()
	}
}

// Read reads a page by read(2).
func (f *File) Read(page int) {
	switch {
	case page < 0 || page >= len(f.in):
		return
	case f.in[page] == 1:
		f.hit(page, 1)
	case f.max == 0:
		f.in[page] = 1
	default:
		f.miss(page)
	}
	f.in[page] = 1
	f.previous = page
}

// hit handles a page in memory. If the page is marked, more is read ahead.
func (f *File) hit(page, wanted int) {
	if !f.marks[page] {
		return
	}
	delete(f.marks, page)
	switch page {
	case 0:
		f.initial(page, wanted)
		return
	case f.start + f.size - f.ahead, f.start + f.size:
		f.start += f.size
		f.size = f.next()
	default: // another window was read in between
		gap := page + 1
		for gap < len(f.in) && f.in[gap] == 1 && gap-page <= f.max {
			gap++
		}
		if gap-page > f.max {
			return
		}
		f.start, f.size = gap, gap-page+wanted
		f.size = f.next()
	}
	f.ahead = f.size
	f.submit()
}

// miss handles a page that is missing for read(2).
func (f *File) miss(page int) {
	behind := 0 // pages in memory right before it
	for behind < f.max && page-1-behind >= 0 && f.in[page-1-behind] == 1 {
		behind++
	}
	switch {
	case page == 0 || page == f.previous || page == f.previous+1:
		f.initial(page, 1)
	case page == f.start+f.size-f.ahead || page == f.start+f.size:
		f.start += f.size
		f.size = f.next()
		f.ahead = f.size
		f.merge(page)
	case behind > 1:
		if behind >= page { // all pages before it
			behind *= 2
		}
		f.start, f.size, f.ahead = page, min(behind+1, f.max), 1
		f.merge(page)
	default:
		f.in[page] = 1
	}
}

// initial reads the first window of a sequence of reads, as get_init_ra_size.
func (f *File) initial(page, wanted int) {
	size := 1
	for size < wanted {
		size *= 2
	}
	switch {
	case size <= f.max/32:
		size *= 4
	case size <= f.max/4:
		size *= 2
	default:
		size = f.max
	}
	f.start, f.size, f.ahead = page, size, size
	if size > wanted {
		f.ahead = size - wanted
	}
	f.merge(page)
}

// next returns the size of the window after the latest, as get_next_ra_size.
func (f *File) next() int {
	if f.size < f.max/16 {
		return 4 * f.size
	}
	return min(2*f.size, f.max)
}

// merge submits a window. If the page would trigger the next window at once, it submits both.
func (f *File) merge(page int) {
	if page == f.start && f.size == f.ahead {
		if more := f.next(); f.size+more <= f.max {
			f.ahead = more
			f.size += more
		} else {
			f.size, f.ahead = f.max, f.max/2
		}
	}
	f.submit()
}

// submit reads the window, up to the end of the file, and marks the page that triggers the next one.
func (f *File) submit() {
	size := min(f.size, len(f.in)-f.start)
	for i := range max(0, size) {
		page := f.start + i
		if f.in[page] == 1 {
			continue
		}
		f.in[page] = 1
		if i == size-f.ahead {
			f.marks[page] = true
		}
	}
}
