package builder

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/twinstart/twinstart/packages/dockerfile"
)

// maxOther is the most bytes that are unpacked from an image that COPY --from names. It is Lambda's limit for an
// image.
const maxOther = 10 << 30

// from returns the files that COPY copies from: those of the context, of an image, or of a stage, whose steps are
// applied to the files of its base.
func (b *build) from(c dockerfile.Copy) (t *tree, err error) {
	if c.From == "" {
		return b.context, nil
	}
	stage, key := c.Stage, any(c.Stage)
	if stage == nil {
		stage, key = &dockerfile.Image{From: c.From}, c.From
	}
	if b.others[key] != nil {
		return b.others[key], nil
	}
	if t = newTree(); stage.From != dockerfile.Scratch {
		if err := b.unpack(t, stage.From, stage.Platform); err != nil {
			return nil, fmt.Errorf("%s:%d: COPY --from=%s: %w", b.file, c.Line, stage.From, err)
		}
	}
	b.others[key] = t
	return t, b.steps(stage, t, func(string, changes) error { return nil })
}

// unpack adds the files of an image to a tree.
func (b *build) unpack(t *tree, name, platform string) error {
	if b.Builder == nil {
		return errors.New("images are not pulled for a layout: build the image, and give its tarball or its reference")
	}
	other, err := b.base(name, platform)
	if err != nil {
		return err
	}
	left := int64(maxOther)
	for i, l := range other.layers {
		files := filepath.Join(b.dir, fmt.Sprintf("%d-%d", len(b.others), i))
		if err := b.Store.readLayer(t, l.Digest, unpackTo(files, &left)); err != nil {
			return fmt.Errorf("reading layer %s of %s: %w", l.Digest, name, err)
		}
	}
	return nil
}

// unpackTo stores the content of a layer's files in files with numbers as names, so that the names in the layer
// cannot lead anywhere.
func unpackTo(prefix string, left *int64) func(*tar.Header, io.Reader) (*node, error) {
	n := 0
	return func(h *tar.Header, content io.Reader) (*node, error) {
		if h.Typeflag != tar.TypeReg {
			return &node{kind: file}, nil // a device, or a hard link that readLayer resolves
		}
		if *left -= h.Size; *left < 0 {
			return nil, fmt.Errorf("it unpacks to more than %d GB, which Lambda allows an image", maxOther>>30)
		}
		n++
		f, err := os.Create(prefix + "-" + strconv.Itoa(n))
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(f, content)
		mode := h.Mode & 0o7777
		return &node{kind: file, source: f.Name(), size: h.Size, executable: mode&0o111 != 0, mode: &mode}, errors.Join(err, f.Close())
	}
}
