package builder

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
)

// kind is what is at a path. Devices and other special files count as files: like them, they prevent a folder at
// that path.
type kind int

const (
	file kind = iota
	folder
	link
)

// node is what is at a path of a file system.
type node struct {
	kind     kind
	target   string           // for a link
	children map[string]*node // for a folder, by name

	// These are set for a file of a build context or of another image:
	source     string // path of the file with the content, unless text has it
	text       []byte // content of a here-document
	size       int64  // bytes
	executable bool

	mode     *int64 // from COPY --chmod or from another image's file; nil means the kind's default
	uid, gid int    // from COPY --chown
}

// open opens the content of a file.
func (n *node) open() (io.ReadCloser, error) {
	if n.text != nil {
		return io.NopCloser(bytes.NewReader(n.text)), nil
	}
	return os.Open(n.source)
}

// tree is the set of names in a file system: the build context, or the image so far. Paths are slash-separated and
// need no leading slash. As in a chroot, ".." never leads out.
type tree struct{ root *node }

func newTree() *tree { return &tree{newFolder()} }

func newFolder() *node { return &node{kind: folder, children: map[string]*node{}} }

// errLoop ends an endless chain of links.
var errLoop = errors.New("too many symbolic links")

// maxLinks is Linux's limit for links in one path.
const maxLinks = 40

// split returns the elements of a path.
func split(p string) []string {
	return strings.FieldsFunc(path.Clean("/"+p), func(r rune) bool { return r == '/' })
}

// get returns the node at a path, or nil. It does not follow links.
func (t *tree) get(p string) *node {
	n := t.root
	for _, name := range split(p) {
		if n.kind != folder {
			return nil
		}
		if n = n.children[name]; n == nil {
			return nil
		}
	}
	return n
}

// put puts a node at a path and makes missing folders above it. It replaces what was there, but if both are
// folders, the old content stays.
func (t *tree) put(p string, n *node) {
	steps := split(p)
	if len(steps) == 0 {
		return
	}
	at := t.root
	for _, name := range steps[:len(steps)-1] {
		next := at.children[name]
		if next == nil || next.kind != folder {
			next = newFolder()
			at.children[name] = next
		}
		at = next
	}
	last := steps[len(steps)-1]
	if old := at.children[last]; old != nil && old.kind == folder && n.kind == folder {
		old.mode = n.mode
		return
	}
	at.children[last] = n
}

// remove removes a path and everything below it.
func (t *tree) remove(p string) {
	if parent := t.get(path.Dir(path.Clean("/" + p))); parent != nil && parent.kind == folder {
		delete(parent.children, path.Base(p))
	}
}

// resolve follows every link of a path, also the last one, as a program that is chrooted into the tree would. From
// the first missing name on, the path is not changed.
func (t *tree) resolve(p string) (string, error) {
	var at []string
	rest := split(p)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			at = at[:max(0, len(at)-1)]
			continue
		}
		n := t.get(strings.Join(append(slices.Clone(at), name), "/"))
		if n == nil || n.kind != link {
			at = append(at, name)
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("resolving %s: %w", p, errLoop)
		}
		if path.IsAbs(n.target) {
			at = nil
		}
		steps := strings.FieldsFunc(n.target, func(r rune) bool { return r == '/' })
		steps = slices.DeleteFunc(steps, func(s string) bool { return s == "." })
		rest = append(steps, rest...)
	}
	return strings.Join(at, "/"), nil
}

// walk calls f for every path below a folder, parents first and names in order. The paths are relative to the
// folder.
func (n *node) walk(f func(p string, n *node) error) error {
	return n.walkFrom("", f)
}

func (n *node) walkFrom(at string, f func(string, *node) error) error {
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		child := n.children[name]
		p := path.Join(at, name)
		if err := f(p, child); err != nil {
			return err
		}
		if err := child.walkFrom(p, f); err != nil {
			return err
		}
	}
	return nil
}

// A layer uses these names to say that something in the layers below is deleted.
// See https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// readLayer adds the names of a layer to a tree. keep makes the node of a file.
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
