package builder

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"

	"github.com/twinstart/twinstart/packages/archive"
)

// Layer is a layer in the store.
type Layer struct {
	Instruction string  // the instruction that made the layer; "" for a layer of the base
	Digest      v1.Hash // digest of the compressed bytes, which is the layer's name in a registry
	DiffID      v1.Hash // digest of the tar archive
	Size        int64   // bytes, compressed
}

// These modes do not depend on a umask. Lambda runs functions as another user, who must be able to read everything.
const (
	modeFile       = 0o644
	modeExecutable = 0o755
	modeFolder     = 0o755
	modeLink       = 0o777
)

// writeLayer streams the files of a layer into the store. It needs the same memory for any size.
func (s *Store) writeLayer(c changes) (Layer, error) {
	f, err := s.temporary()
	if err != nil {
		return Layer{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	packed, plain := sha256.New(), sha256.New()
	// go.mod pins this compressor's version. The standard library's compressor changes with the toolchain, and with
	// it digests would change.
	zip, err := gzip.NewWriterLevel(io.MultiWriter(f, packed), gzip.BestCompression)
	if err != nil {
		return Layer{}, err
	}
	if err := writeTar(io.MultiWriter(zip, plain), c); err != nil {
		return Layer{}, err
	}
	if err := zip.Close(); err != nil {
		return Layer{}, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return Layer{}, err
	}
	digest := func(h hash.Hash) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))} }
	layer := Layer{Digest: digest(packed), DiffID: digest(plain), Size: size}
	return layer, s.keep(f, layer.Digest)
}

func writeTar(w io.Writer, c changes) error {
	archive := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(c)) { // a folder before its content
		n := c[name]
		if err := archive.WriteHeader(header(name, n)); err != nil {
			return err
		}
		if n.kind == file {
			if err := writeFile(archive, n); err != nil {
				return err
			}
		}
	}
	return archive.Close()
}

// header returns the tar header of a path. As in Docker, names have no leading slash, and a folder's name ends in
// one.
func header(name string, n *node) *tar.Header {
	h := &tar.Header{Name: name, ModTime: archive.Epoch, Uid: n.uid, Gid: n.gid}
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

// writeFile copies a file. The file must still have the size that it had when it was listed.
func writeFile(w io.Writer, n *node) error {
	f, err := n.open()
	if err != nil {
		return err
	}
	defer f.Close()
	copied, err := io.Copy(w, io.LimitReader(f, n.size))
	if err != nil {
		return err
	}
	if more, _ := f.Read(make([]byte, 1)); copied != n.size || more > 0 {
		return fmt.Errorf("%s changed while it was read: build again", n.source)
	}
	return nil
}

// temporary opens a file on the store's file system, so that keep can rename it into place.
func (s *Store) temporary() (*os.File, error) {
	dir := filepath.Join(s.dir, "temporary")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, "blob-*")
}

// keep renames a complete file to the name of its content. If another process has done so already, that file has
// the same bytes.
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
