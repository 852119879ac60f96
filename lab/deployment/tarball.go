package deployment

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
)

// tarball reads an image as docker save writes it.
func (p *Package) tarball() error {
	return p.saved(Tarball, func() (v1.Image, error) {
		return tarball.Image(func() (io.ReadCloser, error) { return openTar(p.Path) }, nil)
	})
}

// layout reads an OCI layout in a folder.
func (p *Package) layout() error {
	return p.saved(Layout, func() (v1.Image, error) { return firstImage(p.Path) })
}

// saved reads an image that was built before. Such an image does not tell its base's files from the added ones.
func (p *Package) saved(kind Kind, read func() (v1.Image, error)) error {
	img, err := read()
	var config *v1.ConfigFile
	if err == nil {
		config, err = img.ConfigFile()
	}
	if err != nil {
		return fmt.Errorf("%s is not an %s (%w): write one with docker save", p.Path, kind, err)
	}
	p.Kind, p.AtRoot = kind, true
	p.Image = &Image{Scratch: true, flat: true, Config: config.Config}
	if p.Architecture, err = arm.ParseArchitecture(string(arm.OfGOARCH(config.Architecture))); err != nil {
		return fmt.Errorf("%s is for %q: Lambda runs amd64 and arm64", p.Path, config.Architecture)
	}
	if config.OS != "" && config.OS != "linux" {
		return fmt.Errorf("%s is for %s: Lambda runs Linux", p.Path, config.OS)
	}
	p.fill = func(dir string, needs Needs) error {
		flat := mutate.Extract(img)
		defer flat.Close()
		err := archive.Untar(flat, dir)
		if err == nil { // an error in a layer shows only after the end of the archive
			_, err = io.Copy(io.Discard, flat)
		}
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(p.Path), err)
		}
		return needs.meet(dir)
	}
	return nil
}

// firstImage returns the image of an OCI layout. If there are several, it returns the one for this machine, else the
// first.
func firstImage(dir string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	for {
		manifest, err := index.IndexManifest()
		if err != nil {
			return nil, err
		}
		if len(manifest.Manifests) == 0 {
			return nil, errors.New("its index is empty")
		}
		first := manifest.Manifests[max(0, slices.IndexFunc(manifest.Manifests, func(d v1.Descriptor) bool {
			return d.Platform != nil && d.Platform.Architecture == runtime.GOARCH
		}))]
		if !first.MediaType.IsIndex() {
			return index.Image(first.Digest)
		}
		if index, err = index.ImageIndex(first.Digest); err != nil {
			return nil, err
		}
	}
}

// openTar opens a tar, which may be compressed by gzip.
func openTar(file string) (io.ReadCloser, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	if z, err := gzip.NewReader(f); err == nil {
		return struct {
			io.Reader
			io.Closer
		}{z, f}, nil
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}
