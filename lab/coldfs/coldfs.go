// Package coldfs makes deployment packages cold: before each cold start no page of the package is in the page cache.
// After the start it counts the pages that were read.
//
// Reading the pages of a cold package is most of the cost of a small cold start, on AWS and here. As root, each package
// is an ext4 image that is built once. Each start attaches it through a new loop device, because a new mount has no
// cached page. Without root the package is a folder, and posix_fadvise drops its pages before each start.
package coldfs

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/twinstart/twinstart/packages/archive"
)

// layout must change if a Store changes what it writes, so that an older store's files are not used.
const layout = "5"

// Store keeps packages on disk. The digest of a package's content is its name.
type Store struct {
	Dir  string // created if it is missing
	Loop bool   // keep ext4 images for loop devices instead of folders
}

// Package is a deployment package, ready to be attached.
type Package struct {
	Files []File // in the order of their paths

	image  string // ext4 image; "" if the package is a folder
	folder string
}

// File is a regular file or a symbolic link of a package.
type File struct {
	Path string // slash-separated, below the package's root
	Size int64  // bytes; 0 for a link
}

// Digest returns a name for Add. parts are the digests of a package's content, and the settings that affect the result.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, part := range append(parts, layout) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

// Add returns the package named by digest. If the store does not have it yet, Add calls fill to write its files
// into an empty folder.
func (s *Store) Add(digest string, fill func(dir string) error) (*Package, error) {
	dir := filepath.Join(s.Dir, digest+".tree")
	if s.Loop {
		dir = filepath.Join(s.Dir, digest+".loop")
	}
	if err := archive.Once(dir, func(dir string) error { return s.write(dir, fill) }); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "files"))
	if err != nil {
		return nil, fmt.Errorf("reading a package: %w", err)
	}
	p := &Package{}
	if err := json.Unmarshal(text, &p.Files); err != nil {
		return nil, fmt.Errorf("reading a package: %s: %w: remove it", dir, err)
	}
	if s.Loop {
		p.image = filepath.Join(dir, "image")
	} else {
		p.folder = filepath.Join(dir, "tree")
	}
	now := time.Now()             // the lab removes packages that were not used recently
	_ = os.Chtimes(dir, now, now) // this fails in another user's store
	return p, nil
}

// write writes a package and the list of its files into a folder.
func (s *Store) write(dir string, fill func(dir string) error) error {
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	if err := fill(tree); err != nil {
		return err
	}
	files, inodes, blocks, err := list(tree)
	if err != nil {
		return err
	}
	if s.Loop {
		err = errors.Join(makeImage(filepath.Join(dir, "image"), tree, inodes, blocks), os.RemoveAll(tree))
	} else {
		err = syncTree(tree) // posix_fadvise drops clean pages only
	}
	text, encoding := json.Marshal(files)
	return errors.Join(err, encoding, os.WriteFile(filepath.Join(dir, "files"), text, 0o644))
}

// block is the size of a block in an image.
const block = 4096

// list returns the files below tree, and the number of inodes and blocks that everything below it takes.
func list(tree string) (files []File, inodes, blocks int64, err error) {
	err = filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		inodes, blocks = inodes+1, blocks+info.Size()/block+1
		rel, err := filepath.Rel(tree, path)
		file := File{Path: filepath.ToSlash(rel)}
		switch entry.Type() {
		case 0: // regular
			file.Size = info.Size()
		case fs.ModeSymlink:
		default:
			return err
		}
		files = append(files, file)
		return err
	})
	return files, inodes, blocks, err
}

// syncTree writes every file of a folder to disk.
func syncTree(tree string) error {
	return archive.Files(tree, func(path string, _ fs.FileInfo) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// Image returns the ext4 image to attach through a loop device, or "" if the package is a folder.
func (p *Package) Image() string { return p.image }

// Folder returns the package's folder, or "" if the package is an image.
func (p *Package) Folder() string { return p.folder }

// chunk is the size of the chunks in which Lambda loads a container image (ATC'23, arXiv 2305.13162).
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
