package builder

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/twinstart/twinstart/packages/dockerfile"
)

// says is what a base sets, for the Dockerfile that builds on it.
func (b *base) says(file string) (*dockerfile.Config, error) {
	c := b.config.Config
	if len(c.OnBuild) > 0 {
		return nil, &dockerfile.Error{File: file, Msg: fmt.Sprintf("FROM %s needs Docker: it has ONBUILD %s", b.name, c.OnBuild[0])}
	}
	out := &dockerfile.Config{WorkDir: c.WorkingDir, Shell: c.Shell}
	for _, kv := range c.Env {
		key, value, _ := strings.Cut(kv, "=")
		out.Env = append(out.Env, dockerfile.KV{Key: key, Value: value})
	}
	return out, nil
}

// maxOther bounds what is unpacked of an image that COPY --from names: the size that Lambda allows an image.
const maxOther = 10 << 30

// others unpacks the images that COPY --from names, each once, for as long as a build goes on.
func (b *Builder) others(ctx context.Context, file string, platform v1.Platform) (find func(name string) (*tree, error), done func()) {
	var dirs []string
	trees := map[string]*tree{}
	find = func(name string) (*tree, error) {
		if t := trees[name]; t != nil {
			return t, nil
		}
		other, err := b.base(ctx, file, name, platform)
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
		trees[name] = t
		return t, nil
	}
	return find, func() {
		for _, dir := range dirs {
			_ = os.RemoveAll(dir)
		}
	}
}

// unpackTo keeps the content of a layer's files, each under a number: their names lead nowhere.
func unpackTo(prefix string, left *int64) func(*tar.Header, io.Reader) (*node, error) {
	n := 0
	return func(h *tar.Header, content io.Reader) (*node, error) {
		if h.Typeflag != tar.TypeReg {
			return &node{kind: file}, nil // a device, or a hard link, which readLayer resolves
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
