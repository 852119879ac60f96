package builder

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
)

// How a layer says that something of the layers below is gone.
// See https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// readNames lays the names of a layer over a tree; contents only pass through the decompressor.
func (s *Store) readNames(t *tree, layer v1.Hash) error {
	f, err := os.Open(s.blob(layer))
	if err != nil {
		return err
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	type entry struct {
		path string
		node *node
	}
	var added []entry
	for archive := tar.NewReader(zip); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		dir, base := path.Split(path.Clean("/" + h.Name))
		switch {
		case base == opaque:
			// It says nothing about this layer's own files, wherever in the archive they stand: those come last, below.
			if n := t.get(dir); n != nil && n.kind == folder {
				clear(n.children)
			}
		case strings.HasPrefix(base, whiteout):
			t.remove(path.Join(dir, strings.TrimPrefix(base, whiteout)))
		case base == "":
		case h.Typeflag == tar.TypeDir:
			added = append(added, entry{dir + base, newFolder()})
		case h.Typeflag == tar.TypeSymlink:
			added = append(added, entry{dir + base, &node{kind: link, target: h.Linkname}})
		default:
			added = append(added, entry{dir + base, &node{kind: file}})
		}
	}
	for _, e := range added {
		dir, err := t.resolve(path.Dir(e.path))
		if err != nil {
			return err
		}
		t.put(path.Join(dir, path.Base(e.path)), e.node)
	}
	return nil
}
