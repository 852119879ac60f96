// Package image lays out container images as root file systems, without a Docker daemon: what a Dockerfile copies onto its
// base, for the lab to put over that base or, FROM scratch, to run on its own.
package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Image is a container image's definition in its context folder.
type Image struct {
	*dockerfile.Image
	context string
	file    string // path of the Dockerfile
}

// Read reads the Dockerfile of a context folder.
func Read(context, name string) (*Image, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("reading an image: its Dockerfile %q lies outside of %s", name, context)
	}
	file := filepath.Join(context, name)
	definition, err := dockerfile.Parse(file)
	if err != nil {
		return nil, err
	}
	return &Image{Image: definition, context: context, file: file}, nil
}

// Scratch says that there is nothing below the image.
func (i *Image) Scratch() bool { return i.From == dockerfile.Scratch }

// Within says that all the image adds to its base lies below a folder.
func (i *Image) Within(dir string) bool {
	below := func(p string) bool { return strings.HasPrefix(path.Clean(p)+"/", dir+"/") }
	return !slices.ContainsFunc(i.Folders, func(f dockerfile.Folder) bool { return !below(f.Path) }) &&
		!slices.ContainsFunc(i.Copies, func(c dockerfile.Copy) bool { return !below(c.Dest) })
}

// Digest changes with anything that LayOut would lay out.
func (i *Image) Digest() (string, error) { return archive.FolderDigest(i.context) }

// LayOut makes in the folder dir, which is empty, the folders named in empty: those to be mounted on, or that the base has and a COPY
// may be into. Then it copies there what the image adds to its base.
func (i *Image) LayOut(dir string, empty ...string) error {
	root, err := os.OpenRoot(dir) // no link in the image leads out of it
	if err != nil {
		return fmt.Errorf("laying out %s: %w", i.file, err)
	}
	defer root.Close()
	context, err := os.OpenRoot(i.context)
	if err != nil {
		return fmt.Errorf("laying out %s: %w", i.file, err)
	}
	defer context.Close()
	if err := i.makeFolders(root, empty); err != nil {
		return err
	}
	folders := i.Folders
	for _, c := range i.Copies {
		for ; len(folders) > 0 && folders[0].Line < c.Line; folders = folders[1:] { // a COPY to its name goes into it
			if err := i.makeFolders(root, []string{folders[0].Path}); err != nil {
				return err
			}
		}
		if err := i.copy(root, context, c); err != nil {
			return fmt.Errorf("%s:%d: %w", i.file, c.Line, err)
		}
	}
	for _, f := range folders {
		if err := i.makeFolders(root, []string{f.Path}); err != nil {
			return err
		}
	}
	return nil
}

func (i *Image) makeFolders(root *os.Root, folders []string) error {
	for _, folder := range folders {
		if name := inRoot(folder); name != "." {
			if err := root.MkdirAll(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("laying out %s: %w", i.file, err)
			}
		}
	}
	return nil
}

func (i *Image) copy(root, context *os.Root, c dockerfile.Copy) error {
	var sources []string
	for _, pattern := range c.Sources {
		found, err := fs.Glob(context.FS(), path.Clean(pattern))
		if err != nil {
			return fmt.Errorf("reading COPY %s: %w", pattern, err)
		}
		if len(found) == 0 {
			return fmt.Errorf("COPY %s finds nothing in %s", pattern, i.context)
		}
		sources = append(sources, found...)
	}
	intoFolder := strings.HasSuffix(c.Dest, "/") || len(sources) > 1
	for _, source := range sources {
		info, err := context.Stat(source)
		if err != nil {
			return err
		}
		to := inRoot(c.Dest)
		if info.IsDir() {
			if err := copyTree(root, context, source, to); err != nil {
				return err
			}
			continue
		}
		if existing, err := root.Stat(to); intoFolder || err == nil && existing.IsDir() {
			to = path.Join(to, path.Base(source))
		}
		if err := copyFile(root, context, source, to); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies the content of a folder; its links as they are.
func copyTree(root, context *os.Root, from, to string) error {
	return fs.WalkDir(context.FS(), from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := path.Join(to, filepath.ToSlash(rel))
		switch {
		case entry.IsDir():
			if target == "." {
				return nil
			}
			if err := root.MkdirAll(target, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			info, err := entry.Info()
			if err != nil || rel == "." {
				return err
			}
			return root.Chmod(target, info.Mode().Perm())
		case entry.Type()&fs.ModeSymlink != 0:
			link, err := context.Readlink(name)
			if err != nil {
				return err
			}
			_ = root.Remove(target) // a later COPY overwrites an earlier one
			return root.Symlink(link, target)
		case entry.Type().IsRegular():
			return copyFile(root, context, name, target)
		}
		return fmt.Errorf("%s is neither file, folder nor link", name)
	})
}

func copyFile(root, context *os.Root, from, to string) error {
	in, err := context.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if parent := path.Dir(to); parent != "." {
		if err := root.MkdirAll(parent, 0o755); err != nil {
			return err
		}
	}
	_ = root.Remove(to) // a later COPY overwrites an earlier one
	out, err := root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm()|0o200)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(info.Mode().Perm()), out.Close())
}

// inRoot is an image's absolute path as os.Root wants it.
func inRoot(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+p), "/")
	if p == "" {
		return "."
	}
	return p
}

// Command is what an image starts: the entry point, then its arguments. A non-empty override stands in place of what the image says;
// as in Docker, another entry point drops the image's own arguments.
func (i *Image) Command(entryPoint, arguments []string) []string {
	command := i.Cmd
	if len(entryPoint) > 0 {
		command = nil
	} else {
		entryPoint = i.Entrypoint
	}
	if len(arguments) > 0 {
		command = arguments
	}
	return slices.Concat(entryPoint, command)
}
