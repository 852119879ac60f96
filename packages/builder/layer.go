package builder

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"

	"github.com/twinstart/twinstart/packages/archive"
)

// writeLayer streams files into the store as a layer. It returns the layer and the digest of its tar archive. It
// needs the same memory for any size.
func (s *Store) writeLayer(files tree) (layer v1.Descriptor, diffID v1.Hash, err error) {
	f, err := os.CreateTemp(s.blobs(), ".tmp-*")
	if err != nil {
		return layer, diffID, err
	}
	defer os.Remove(f.Name()) // after a success it no longer exists
	defer f.Close()
	packed, plain := sha256.New(), sha256.New()
	// go.mod pins this compressor's version. The standard library's compressor changes with the toolchain, so digests
	// would change, too.
	zip, err := gzip.NewWriterLevel(io.MultiWriter(f, packed), gzip.BestCompression)
	if err != nil {
		return layer, diffID, err
	}
	if err := errors.Join(writeTar(io.MultiWriter(zip, plain), files), zip.Close()); err != nil {
		return layer, diffID, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return layer, diffID, err
	}
	digest := func(h hash.Hash) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))} }
	layer = v1.Descriptor{MediaType: types.DockerLayer, Size: size, Digest: digest(packed)}
	if err := f.Close(); err != nil {
		return layer, diffID, err
	}
	return layer, digest(plain), os.Rename(f.Name(), s.blob(layer.Digest))
}

func writeTar(w io.Writer, files tree) error {
	archive := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(files)) { // a folder before its content
		n := files[name]
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
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: n.mode, Size: n.size, Linkname: n.target,
		ModTime: archive.Epoch, Uid: n.uid, Gid: n.gid}
	switch n.kind {
	case folder:
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
	case link:
		h.Typeflag = tar.TypeSymlink
	}
	return h
}

// writeFile copies a file. It is an error if the file no longer has the size that it had when it was listed.
func writeFile(w *tar.Writer, n *node) error {
	f, err := n.open()
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err = io.Copy(w, f); err == nil {
		err = w.Flush()
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w: if it was changed during the build, build again", n.source, err)
	}
	return nil
}
