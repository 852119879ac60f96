package builder

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"

	"github.com/twinstart/twinstart/packages/dockerfile"
)

// maxOther is the most bytes that are unpacked from an image that COPY --from names. It is Lambda's limit for an
// image.
const maxOther = 10 << 30

// others returns a function that finds the files that COPY --from names. They belong to an image, which unpack
// gets, or to a stage, whose steps are applied to the files of its base. The results are kept during the build.
func others(file string, context *tree, unpack func(name, platform string) (*tree, error)) func(dockerfile.Copy) (*tree, error) {
	known := map[any]*tree{}
	var find func(c dockerfile.Copy) (*tree, error)
	find = func(c dockerfile.Copy) (t *tree, err error) {
		stage, key := c.Stage, any(c.Stage)
		if stage == nil {
			stage, key = &dockerfile.Image{From: c.From}, c.From
		}
		if known[key] != nil {
			return known[key], nil
		}
		if t = newTree(); stage.From != dockerfile.Scratch {
			if t, err = unpack(stage.From, stage.Platform); err != nil {
				return nil, fmt.Errorf("%s:%d: COPY --from=%s: %w", file, c.Line, stage.From, err)
			}
		}
		known[key] = t
		return t, steps(stage, file, t, context, find, func(string, changes) error { return nil })
	}
	return find
}

// unpack returns a function that unpacks the files of images. done removes them.
func (b *Builder) unpack(get func(name, platform string) (*base, error)) (unpack func(name, platform string) (*tree, error), done func()) {
	var dirs []string
	unpack = func(name, platform string) (*tree, error) {
		other, err := get(name, platform)
		if err != nil {
			return nil, err
		}
		dir, err := os.MkdirTemp(b.Store.dir, "temporary-")
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
		t, left := newTree(), int64(maxOther)
		for i, l := range other.layers {
			if err := b.Store.readLayer(t, l.Digest, unpackTo(path.Join(dir, strconv.Itoa(i)), &left)); err != nil {
				return nil, fmt.Errorf("reading layer %s of %s: %w", l.Digest, name, err)
			}
		}
		return t, nil
	}
	return unpack, func() {
		for _, dir := range dirs {
			_ = os.RemoveAll(dir)
		}
	}
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
