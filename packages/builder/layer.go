package builder

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
)

// Layer is a layer in the store.
type Layer struct {
	Instruction string  // that made it; "" for a layer of the base
	Digest      v1.Hash // of the compressed bytes: its name in a registry
	DiffID      v1.Hash // of the tar archive
	Size        int64   // bytes, compressed
}

// Epoch is the time of everything in an image. ZIP archives can say no earlier one, so that a file has one time in both packages.
var Epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Modes do not depend on a umask. Lambda runs functions as a user of its own, who must be able to read everything.
const (
	modeFile       = 0o644
	modeExecutable = 0o755
	modeFolder     = 0o755
	modeLink       = 0o777
)

// writeLayer streams the files of a layer into the store; progress is told of the bytes read. Memory stays flat whatever their size.
func (s *Store) writeLayer(c changes, progress func(int64)) (Layer, error) {
	f, err := s.temporary()
	if err != nil {
		return Layer{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	packed := &counter{to: f, hash: sha256.New()}
	// This compressor's version stands in go.mod, while that of the standard library changes with the toolchain, and digests with it.
	zip, err := gzip.NewWriterLevel(packed, gzip.BestCompression)
	if err != nil {
		return Layer{}, err
	}
	plain := &counter{to: zip, hash: sha256.New()}
	if err := writeTar(plain, c, progress); err != nil {
		return Layer{}, err
	}
	if err := zip.Close(); err != nil {
		return Layer{}, err
	}
	layer := Layer{Digest: packed.digest(), DiffID: plain.digest(), Size: packed.n}
	return layer, s.keep(f, layer.Digest)
}

func writeTar(w io.Writer, c changes, progress func(int64)) error {
	archive := tar.NewWriter(w)
	for _, name := range c.sorted() {
		n := c[name]
		if err := archive.WriteHeader(header(name, n)); err != nil {
			return err
		}
		if n.kind == file {
			if err := writeFile(archive, n, progress); err != nil {
				return err
			}
		}
	}
	return archive.Close()
}

// header describes a path of a layer. Names are written without a leading slash, folders with one at the end, as Docker does.
func header(name string, n *node) *tar.Header {
	h := &tar.Header{Name: name, ModTime: Epoch, Uid: n.uid, Gid: n.gid}
	switch n.kind {
	case folder:
		h.Typeflag, h.Name, h.Mode = tar.TypeDir, name+"/", modeFolder
	case link:
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, n.target, modeLink
	default:
		h.Typeflag, h.Size, h.Mode = tar.TypeReg, n.size, modeFile
		if n.executable {
			h.Mode = modeExecutable
		}
	}
	if n.mode != nil && n.kind != link {
		h.Mode = *n.mode
	}
	return h
}

// writeFile copies a file that must have the size by which it was listed.
func writeFile(w io.Writer, n *node, progress func(int64)) error {
	f, err := n.open()
	if err != nil {
		return err
	}
	defer f.Close()
	copied, err := io.Copy(w, io.LimitReader(&observed{f, progress}, n.size))
	if err != nil {
		return err
	}
	if more, _ := f.Read(make([]byte, 1)); copied != n.size || more > 0 {
		return fmt.Errorf("%s changed while it was read: build again", n.source)
	}
	return nil
}

// counter hashes and counts what passes.
type counter struct {
	to   io.Writer
	hash hash.Hash
	n    int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}

func (c *counter) digest() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(c.hash.Sum(nil))}
}

// observed tells of the bytes read.
type observed struct {
	io.Reader
	tell func(int64)
}

func (o *observed) Read(p []byte) (int, error) {
	n, err := o.Reader.Read(p)
	o.tell(int64(n))
	return n, err
}

// temporary opens a file that keep can move into place, on the same file system.
func (s *Store) temporary() (*os.File, error) {
	dir := filepath.Join(s.dir, "temporary")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, "blob-*")
}

// keep moves a complete file to its place by content. There is nothing to wait for where another process was faster: the bytes
// are the same.
func (s *Store) keep(f *os.File, digest v1.Hash) error {
	if err := f.Close(); err != nil {
		return err
	}
	name := s.blob(digest)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
