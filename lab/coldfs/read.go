package coldfs

import "os"

// Lambda loads a container image in chunks of this size (ATC'23, arXiv 2305.13162).
const chunk = 512 << 10

// Read is what of a package is in the page cache, which after a cold start is what was read of it.
type Read struct {
	KiB    int
	Chunks int // of 512 KiB, counted per file
}

// Sum adds up what Pages says of one file.
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
