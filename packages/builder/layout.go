package builder

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

	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Definition is an image as its Dockerfile and context define it, to be laid out as a root file system. Build makes
// layers by the same steps.
type Definition struct {
	*dockerfile.Image
	dir, file string
}

// Define reads the Dockerfile of a context folder. It knows the settings of Lambda's own bases only.
func Define(dir, name string) (*Definition, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("reading an image: its Dockerfile %q lies outside of %s", name, dir)
	}
	file := filepath.Join(dir, name)
	said, err := dockerfile.Parse(file, dockerfile.Options{Platform: text(hostPlatform)})
	if err != nil {
		return nil, err
	}
	return &Definition{Image: said, dir: dir, file: file}, nil
}

// hostPlatform is this machine's platform.
var hostPlatform, _ = ParsePlatform("")

// Scratch reports whether the image has no base.
func (d *Definition) Scratch() bool { return d.From == dockerfile.Scratch }

// Within reports whether everything that the image adds to its base is below a folder.
func (d *Definition) Within(dir string) bool {
	below := func(p string) bool { return strings.HasPrefix(path.Clean(p)+"/", dir+"/") }
	return !slices.ContainsFunc(d.Folders, func(f dockerfile.Folder) bool { return !below(f.Path) }) &&
		!slices.ContainsFunc(d.Copies, func(c dockerfile.Copy) bool { return !below(c.Dest) })
}

// LayOut writes into the folder dir what the image adds to its base. If dir already contains folders of the base,
// files are copied into them. The caller owns all files. No link in the image can lead out of dir.
func (d *Definition) LayOut(dir string) error {
	from, err := readContext(d.dir, d.file)
	if err != nil {
		return err
	}
	image, err := readContextTree(dir)
	if err != nil {
		return fmt.Errorf("laying out %s: %w", d.file, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("laying out %s: %w", d.file, err)
	}
	defer root.Close()
	unpack := func(string, string) (*tree, error) {
		return nil, errors.New("images are not pulled for a layout: build the image, and give its tarball or its reference")
	}
	return steps(d.Image, d.file, image, from, others(d.file, from, unpack), func(instruction string, made changes) error {
		for _, name := range made.sorted() {
			if err := writeNode(root, name, made[name]); err != nil {
				return fmt.Errorf("laying out %s: %s: %w", d.file, instruction, err)
			}
		}
		return nil
	})
}

// readContextTree lists the names in a folder.
func readContextTree(dir string) (*tree, error) {
	t := newTree()
	return t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		n, err := contextNode(name, entry)
		t.put(filepath.ToSlash(relative), n)
		return err
	})
}

// writeNode writes one path as the entry of a layer would be unpacked.
func writeNode(root *os.Root, name string, n *node) error {
	mode := fs.FileMode(header(name, n).Mode & 0o777)
	if parent := path.Dir(name); parent != "." {
		if err := root.MkdirAll(parent, modeFolder); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	switch n.kind {
	case folder:
		if err := root.MkdirAll(name, modeFolder); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return root.Chmod(name, mode)
	case link:
		_ = root.Remove(name) // a later COPY replaces the file of an earlier one
		return root.Symlink(n.target, name)
	}
	in, err := n.open()
	if err != nil {
		return err
	}
	defer in.Close()
	_ = root.Remove(name)
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(mode), out.Close())
}
