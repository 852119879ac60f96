// Package readahead computes which pages of a file Linux reads when pages of it are touched in a known order: its
// windows of read-ahead without its page cache. Kernels differ in them, and a kernel can only show its own; a computed
// window is the same on every machine.
//
// It is Linux 5.10 to 6.16, which Lambda's kernels are taken to be: mm/filemap.c (do_sync_mmap_readahead,
// do_async_mmap_readahead) for mapped files and mm/readahead.c (ondemand_readahead) for read(2). A page that is missing
// where it is mapped is read with the window around it; a page with a mark, which the last quarter of a window begins
// with, has the pages behind the window read ahead. Linux 6.17 (commit 3b61a3f08949) reads mapped code from the page on
// instead.
//
// Left out: that Linux stops reading around once a file was missed 100 times more than it was hit (mmap_miss), which
// needs touches further apart than a window all over a file larger than 12 MB; madvise; more than one open file at a
// time.
package readahead

// PageSize of both of Lambda's architectures, in bytes.
const PageSize = 4096

// File is one file whose pages are read as they are touched. At first none is in memory.
type File struct {
	in    []byte // for each page 1 where it is in memory, as mincore has it
	marks map[int]bool
	max   int // of a window, in pages; 0 reads nothing ahead

	start, size, ahead int // struct file_ra_state: the latest window; ahead is its async_size
	previous           int // page that read(2) read last
}

// New is a file of so many bytes on a device with so many KiB of read-ahead.
func New(bytes int64, readAheadKiB int) *File {
	return &File{in: make([]byte, (bytes+PageSize-1)/PageSize), marks: map[int]bool{}, max: readAheadKiB << 10 / PageSize, previous: -1}
}

// Pages says of each page whether it is in memory: bit 0, as mincore does.
func (f *File) Pages() []byte { return f.in }

// Fault touches a page that is mapped.
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

// Read has a page read by read(2).
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

// hit is a page in memory: one with a mark has more read ahead.
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

// miss is a page that read(2) finds missing.
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
		if behind >= page { // from the beginning of the file on
			behind *= 2
		}
		f.start, f.size, f.ahead = page, min(behind+1, f.max), 1
		f.merge(page)
	default:
		f.in[page] = 1
	}
}

// initial is the first window of what looks sequential: get_init_ra_size.
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

// next is the size of the window behind the latest: get_next_ra_size.
func (f *File) next() int {
	switch {
	case f.size < f.max/16:
		return 4 * f.size
	case f.size <= f.max/2:
		return 2 * f.size
	}
	return f.max
}

// merge submits a window, with the one behind it where the page would trigger that at once.
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

// submit reads the window, up to the end of the file, and marks where the next is due.
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
