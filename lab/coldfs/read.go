package coldfs

import "os"

// Lambda loads a container image in chunks of this size (ATC'23, arXiv 2305.13162).
const chunk = 512 << 10

// Read is the part of a package that is in the page cache. After a cold start that is the part that was read.
type Read struct {
	KiB    int
	Chunks int // of 512 KiB, counted per file
}

// Sum adds up the result of Pages for one file.
func Sum(in []byte) Read {
	pageSize := os.Getpagesize()
	pages, chunks, last := 0, 0, -1
	for i, b := range in {
		if b&1 == 0 {
			continue
		}
		pages++
		if c := i * pageSize / chunk; c != last {
			chunks, last = chunks+1, c
		}
	}
	return Read{pages * pageSize >> 10, chunks}
}
