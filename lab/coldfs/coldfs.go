// Package coldfs makes deployment packages cold: before each cold start no page of the package is in the page
// cache. After the start it counts the pages that were read.
//
// Most of the cost of a small cold start is the pages that it reads from a cold package, on AWS and here. As root,
// each package is an ext4 image that is built once. Each start attaches it through a new loop device, because a new
// mount has no cached page. Without root the package is a folder, and posix_fadvise drops its pages before each
// start.
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
)

// layout must change if a Store writes something else than before, so that files of an older store are not used.
const layout = "4"

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

// Digest returns a name for Add. parts are the digests of the content of a package, and settings that affect the
// result.
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
	p, err := s.load(digest)
	if !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("storing a package: %w", err)
	}
	work, err := os.MkdirTemp(s.Dir, "new-")
	if err != nil {
		return nil, fmt.Errorf("storing a package: %w", err)
	}
	defer os.RemoveAll(work)
	tree := filepath.Join(work, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return nil, fmt.Errorf("storing a package: %w", err)
	}
	if err := fill(tree); err != nil {
		return nil, err
	}
	files, err := list(tree)
	if err != nil {
		return nil, fmt.Errorf("storing a package: %w", err)
	}
	if err := s.save(digest, work, tree, files); err != nil {
		return nil, fmt.Errorf("storing a package: %w", err)
	}
	return s.load(digest)
}

// save renames the parts into place, the list of files last. A package without that list counts as missing.
func (s *Store) save(digest, work, tree string, files []File) error {
	if s.Loop {
		image := filepath.Join(work, "image")
		if err := makeImage(image, tree); err != nil {
			return err
		}
		if err := os.Rename(image, s.path(digest, ".ext4")); err != nil {
			return err
		}
	} else {
		if err := syncTree(tree); err != nil { // posix_fadvise drops clean pages only
			return err
		}
		if err := os.Rename(tree, s.path(digest, ".tree")); err != nil {
			if _, statErr := os.Stat(s.path(digest, ".tree")); statErr != nil {
				return err
			} // another process was first, with the same content
		}
	}
	text, err := json.Marshal(files)
	if err != nil {
		return err
	}
	listing := filepath.Join(work, "files")
	if err := os.WriteFile(listing, text, 0o644); err != nil {
		return err
	}
	return os.Rename(listing, s.listing(digest))
}

func (s *Store) load(digest string) (*Package, error) {
	text, err := os.ReadFile(s.listing(digest))
	if err != nil {
		return nil, err
	}
	p := &Package{}
	if err := json.Unmarshal(text, &p.Files); err != nil {
		return nil, fs.ErrNotExist // a crash has cut the list short, so build the package again
	}
	part := s.path(digest, ".tree")
	if p.folder = part; s.Loop {
		part = s.path(digest, ".ext4")
		p.image, p.folder = part, ""
	}
	if _, err := os.Stat(part); err != nil {
		return nil, err
	}
	now := time.Now()                           // Prune keeps packages that were used recently
	_ = os.Chtimes(s.listing(digest), now, now) // this fails in another user's store
	return p, nil
}

// Prune removes packages that were not used for this long.
func (s *Store) Prune(age time.Duration) {
	lists, _ := filepath.Glob(filepath.Join(s.Dir, "*.files"))
	for _, path := range lists {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > age {
			base := path[:len(path)-len(".loop.files")]
			os.Remove(path)
			os.Remove(base + ".ext4")
			os.RemoveAll(base + ".tree")
		}
	}
	leftovers, _ := filepath.Glob(filepath.Join(s.Dir, "new-*")) // left by a killed Add
	for _, path := range leftovers {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
			os.RemoveAll(path)
		}
	}
}

func (s *Store) path(digest, suffix string) string { return filepath.Join(s.Dir, digest+suffix) }

func (s *Store) listing(digest string) string {
	if s.Loop {
		return s.path(digest, ".loop.files")
	}
	return s.path(digest, ".tree.files")
}

func list(tree string) (files []File, err error) {
	err = filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		link := err == nil && entry.Type()&fs.ModeSymlink != 0
		if err != nil || !link && !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(tree, path)
		file := File{Path: filepath.ToSlash(rel), Size: info.Size()}
		if link {
			file.Size = 0
		}
		files = append(files, file)
		return err
	})
	return files, err
}

// syncTree writes every file of a folder to disk.
func syncTree(tree string) error {
	return filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path) //nolint:gosec // a folder that this process has just made
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Sync()
	})
}

// Image returns the ext4 image to attach through a loop device, or "" if the package is a folder.
func (p *Package) Image() string { return p.image }

// Folder returns the package's folder, or "" if the package is an image.
func (p *Package) Folder() string { return p.folder }
