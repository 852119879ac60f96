// Package deployment opens deployment packages: the package at a path, or that of a function in an assembly. The lab
// runs packages, and probe counts what they read. Sizes are bytes. Opening a package reads only what shows its kind and
// settings. Add unpacks it.
package deployment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
)

// Kind says in which form a package was given.
type Kind string

// The kinds of package.
const (
	Bootstrap Kind = "bootstrap" // a single executable or script
	ZIP       Kind = "zip"
	Folder    Kind = "folder"        // the content of a ZIP
	Context   Kind = "image context" // a folder with a Dockerfile
	Tarball   Kind = "image tarball"
	Layout    Kind = "image layout" // an OCI layout
)

// Package is a deployment package before it is unpacked.
type Package struct {
	Name         string // the package's path, or the arm of its function
	Path         string
	Kind         Kind
	Bytes        int64
	Architecture arm.Architecture // the function's, or the one that the bootstrap is built for; "" if unknown
	Image        *Image           // nil for a package that is mounted at /var/task
	AtRoot       bool             // the package is mounted at /: an image, or a ZIP with layers

	Bootstrap string // path of a layer's bootstrap; "" if the code's own bootstrap is started

	layers []string
	fill   func(dir string, needs Needs) error // writes the content; nil unpacks a ZIP, or copies a folder
}

// Needs lists paths that an image's root file system must have, because an environment mounts something there.
type Needs struct{ Folders, Files []string }

// Code opens the ZIP or folder at a path. It does not look for a bootstrap, because a managed runtime has its own.
func Code(path string) (*Package, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading a package: %w", err)
	case info.IsDir():
		bytes, _ := archive.Size(path) // Add reports unreadable files
		return &Package{Name: path, Path: path, Kind: Folder, Bytes: bytes}, nil
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is neither a file nor a folder", path)
	}
	return &Package{Name: path, Path: path, Kind: ZIP, Bytes: info.Size()}, nil
}

// Add unpacks the package into a store. An image also gets the paths in needs.
func (p *Package) Add(s *coldfs.Store, needs Needs) (*coldfs.Package, error) {
	digest, err := p.Digest()
	if err != nil {
		return nil, err
	}
	parts := slices.Concat([]string{string(p.Kind), digest}, needs.Folders, needs.Files)
	return s.Add(coldfs.Digest(parts...), func(dir string) error {
		if p.fill == nil {
			return coldfs.Unpack(p.Path, dir)
		}
		return p.fill(dir, needs)
	})
}

// Digest returns a SHA-256 of the package and its layers, as they were given: of a file, or of the names, modes and
// content of a folder.
func (p *Package) Digest() (string, error) {
	digest, err := archive.Digest(p.Path)
	for _, layer := range p.layers {
		of, layerErr := archive.Digest(layer)
		digest, err = coldfs.Digest(digest, of), errors.Join(err, layerErr)
	}
	return digest, err
}

// Own reports whether a file of an image belongs to the user rather than to the image's base.
func (p *Package) Own(path string) bool {
	if p.Image == nil || !p.Image.Scratch || !p.Image.flat {
		return true
	}
	command := p.Image.Command(nil, nil)
	return strings.HasPrefix(path, sandbox.TaskRoot+"/") || len(command) > 0 && path == command[0]
}

// meet makes the folders and empty files below dir.
func (n Needs) meet(dir string) error {
	for _, name := range n.Folders {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range n.Files {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			return err
		}
	}
	return nil
}
