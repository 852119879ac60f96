package builder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// kind is what a path is, as far as copying cares. Devices and the like count as files: they are in the way of a folder too.
type kind int

const (
	file kind = iota
	folder
	link
)

// node is a path of a file system, without its content.
type node struct {
	kind     kind
	target   string           // of a link
	children map[string]*node // of a folder, by name

	// Of a file in a build context, or of another image:
	source     string // where its content lies, unless it is text
	text       []byte // of a here-document
	size       int64  // bytes
	executable bool

	mode     *int64 // of COPY --chmod, or of another image's file; nil: by kind
	uid, gid int    // of COPY --chown
}

// open reads a file.
func (n *node) open() (io.ReadCloser, error) {
	if n.text != nil {
		return io.NopCloser(bytes.NewReader(n.text)), nil
	}
	return os.Open(n.source)
}

// tree is a file system by its names: the build context, or the image as far as it is built. Paths are slash-separated and need
// no leading slash; ".." never leads out, as in a chroot.
type tree struct{ root *node }

func newTree() *tree { return &tree{newFolder()} }

func newFolder() *node { return &node{kind: folder, children: map[string]*node{}} }

// errLoop ends what would go on for ever.
var errLoop = errors.New("too many symbolic links")

// maxLinks is Linux's limit on links in one path.
const maxLinks = 40

// split names the steps of a path.
func split(p string) []string {
	return strings.FieldsFunc(path.Clean("/"+p), func(r rune) bool { return r == '/' })
}

// get is the node at a path; links are not followed; nil if nothing is there.
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

// put makes a path hold a node, and folders above it where there are none. What it held is gone, save that a folder keeps its
// content under a folder.
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

// remove takes a path and all below it away.
func (t *tree) remove(p string) {
	if parent := t.get(path.Dir(path.Clean("/" + p))); parent != nil && parent.kind == folder {
		delete(parent.children, path.Base(p))
	}
}

// resolve follows every link of a path, the last too, as a program chrooted into the tree would see it. From a name on that is not
// there the path stays as it is.
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

// walk calls f for every path below a folder, parents first, names in order. The paths are relative to it.
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
