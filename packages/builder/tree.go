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
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// kind is the kind of a node. Devices and other special files count as files: like a file, they prevent a folder at the
// same path.
type kind int

const (
	file kind = iota
	folder
	link
)

func (k kind) String() string { return [...]string{"file", "folder", "symbolic link"}[k] }

// node is a file, folder or link in a file system.
type node struct {
	kind     kind
	mode     int64
	uid, gid int    // from COPY --chown
	target   string // of a link

	// These are set for a file whose content is known:
	source string // path of the file with the content, unless text has it
	text   []byte // content of a here-document
	size   int64  // bytes
}

// open opens the content of a file.
func (n *node) open() (io.ReadCloser, error) {
	if n.text != nil {
		return io.NopCloser(bytes.NewReader(n.text)), nil
	}
	return os.Open(n.source)
}

// tree maps paths to nodes. It is a file system (the build context, or the image so far), or the part that an
// instruction adds to one. Paths are clean and have no leading slash; the root is "". As in a chroot, ".." never leads
// out.
type tree map[string]*node

func newTree() tree { return tree{"": {kind: folder, mode: modeFolder}} }

// clean turns any path into a tree's path.
func clean(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }

// put puts a node at a path, and adds the folders above it that are missing.
func (t tree) put(p string, n *node) {
	t[p] = n
	for at := clean(path.Dir(p)); t[at] == nil || t[at].kind != folder; at = clean(path.Dir(at)) {
		t[at] = &node{kind: folder, mode: modeFolder}
	}
}

// below returns the paths of everything below a folder, relative to the folder and sorted.
func (t tree) below(dir string) (paths []string) {
	if dir != "" {
		dir += "/"
	}
	for _, p := range slices.Sorted(maps.Keys(t)) {
		if rest, found := strings.CutPrefix(p, dir); found && rest != "" {
			paths = append(paths, rest)
		}
	}
	return paths
}

// bytes returns the size of all files.
func (t tree) bytes() (sum int64) {
	for _, n := range t {
		sum += n.size
	}
	return sum
}

// maxLinks is Linux's limit for links in one path.
const maxLinks = 40

// resolve follows all links in a path, also the last one, as in a chroot into the tree. It does not change the rest of
// the path after a name that is missing.
func (t tree) resolve(p string) (string, error) {
	at, rest := "", strings.Split(clean(p), "/")
	for links := 0; len(rest) > 0; {
		next := clean(path.Join("/", at, rest[0]))
		rest = rest[1:]
		n := t[next]
		if n == nil || n.kind != link {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("resolving %s: too many symbolic links", p)
		}
		if path.IsAbs(n.target) {
			at = ""
		}
		rest = append(strings.Split(n.target, "/"), rest...)
	}
	return at, nil
}

// readImage returns the file system of an image. keep makes the node for a file.
func readImage(img v1.Image, keep func(*tar.Header, io.Reader) (*node, error)) (tree, error) {
	flat := mutate.Extract(img)
	defer flat.Close()
	t, hard := newTree(), map[string]string{}
	for archive := tar.NewReader(flat); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		p, n := clean(h.Name), &node{mode: h.Mode & 0o7777}
		switch h.Typeflag {
		case tar.TypeDir:
			n.kind = folder
		case tar.TypeSymlink:
			n.kind, n.target = link, h.Linkname
		case tar.TypeLink:
			hard[p] = clean(h.Linkname)
		default:
			if n, err = keep(h, archive); err != nil {
				return nil, err
			}
		}
		if p != "" {
			t[p] = n
		}
	}
	if _, err := io.Copy(io.Discard, flat); err != nil { // an error in a layer shows only after the end of the archive
		return nil, err
	}
	for p, to := range hard {
		if n := t[to]; n != nil && n.kind == file {
			t[p] = n
		}
	}
	for _, p := range slices.Sorted(maps.Keys(t)) { // a file may be below a link of an earlier layer
		dir, err := t.resolve(path.Dir(p))
		if err != nil {
			return nil, err
		}
		n, at := t[p], clean(path.Join(dir, path.Base(p)))
		if p != "" && at != p {
			delete(t, p)
		}
		t.put(at, n)
	}
	return t, nil
}

// Modes in an image do not depend on a umask. Lambda runs functions as another user, who must be able to read
// everything.
const (
	modeFile   = 0o644
	modeFolder = 0o755
	modeLink   = 0o777
)
