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

// A layer uses these names to say that something in the layers below is deleted.
// See https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// readNames adds the names of a layer to a tree. It does not keep file contents.
func (s *Store) readNames(t *tree, layer v1.Hash) error {
	return s.readLayer(t, layer, func(*tar.Header, io.Reader) (*node, error) { return &node{kind: file}, nil })
}

// readLayer does what readNames does, but calls keep to make the node of a file.
func (s *Store) readLayer(t *tree, layer v1.Hash, keep func(*tar.Header, io.Reader) (*node, error)) error {
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
	links := map[string]string{} // hard links and their targets
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
			// This does not affect this layer's own files, wherever they are in the archive: they are added last,
			// below.
			if n := t.get(dir); n != nil && n.kind == folder {
				clear(n.children)
			}
		case strings.HasPrefix(base, whiteout):
			t.remove(path.Join(dir, strings.TrimPrefix(base, whiteout)))
		case base == "":
		case h.Typeflag == tar.TypeDir:
			made, mode := newFolder(), h.Mode&0o7777
			made.mode = &mode
			added = append(added, entry{dir + base, made})
		case h.Typeflag == tar.TypeSymlink:
			added = append(added, entry{dir + base, &node{kind: link, target: h.Linkname}})
		case h.Typeflag == tar.TypeLink:
			added = append(added, entry{dir + base, nil})
			links[dir+base] = path.Clean("/" + h.Linkname)
		default:
			n, err := keep(h, archive)
			if err != nil {
				return err
			}
			added = append(added, entry{dir + base, n})
		}
	}
	for _, e := range added {
		if e.node == nil {
			if e.node = t.get(links[e.path]); e.node == nil || e.node.kind != file {
				e.node = &node{kind: file}
			}
		}
		dir, err := t.resolve(path.Dir(e.path))
		if err != nil {
			return err
		}
		t.put(path.Join(dir, path.Base(e.path)), e.node)
	}
	return nil
}
