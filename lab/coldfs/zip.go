package coldfs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/twinstart/twinstart/packages/archive"
)

// Unpack writes the content of a ZIP or of a folder into dir, over existing files. A ZIP is unpacked as Lambda does
// it, with the modes and times of the archive: if the time in a .pyc is not that of its source, Python compiles the
// module at each start. Files of a folder get the fixed time that the CDK CLI would give them.
func Unpack(path, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		if err := archive.Unzip(path, dir); err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(path), err)
		}
		return nil
	}
	each := func(do func(to string) error) error {
		return fs.WalkDir(os.DirFS(path), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return do(filepath.Join(dir, filepath.FromSlash(name)))
		})
	}
	err := each(os.RemoveAll)
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(path))
	}
	if err == nil {
		err = each(func(to string) error {
			if info, err := os.Lstat(to); err != nil || !info.Mode().IsRegular() {
				return err
			}
			return os.Chtimes(to, cdkTime, cdkTime)
		})
	}
	if err != nil {
		return fmt.Errorf("copying %s: %w", filepath.Base(path), err)
	}
	return nil
}

// cdkTime is the time of every file in the CDK CLI's archives:
// https://github.com/cdklabs/cdk-assets/blob/main/lib/private/archive.ts
var cdkTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

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
