package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// Untar unpacks a tar into dir. No entry can lead out of dir. It skips devices, because an environment has its own.
// If the content is larger than an image may be, that is an error.
func Untar(in io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, left := tar.NewReader(in), int64(arm.MaxImage)
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path.Clean("/"+header.Name), "/")
		if name == "" {
			continue
		}
		if left -= max(0, header.Size); left < 0 {
			return fmt.Errorf("the image is larger than %d GB unpacked, which Lambda does not take", arm.MaxImage>>30)
		}
		if err := untarEntry(root, header, name, entries); err != nil {
			return fmt.Errorf("entry %q: %w", header.Name, err)
		}
	}
}

func untarEntry(root *os.Root, header *tar.Header, name string, content io.Reader) error {
	if parent := path.Dir(name); parent != "." {
		if err := root.MkdirAll(parent, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	perm := header.FileInfo().Mode().Perm()
	switch header.Typeflag {
	case tar.TypeDir:
		if err := root.MkdirAll(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return root.Chmod(name, perm|0o700)
	case tar.TypeSymlink:
		root.Remove(name) //nolint:errcheck // an earlier layer's, if there is one
		return root.Symlink(header.Linkname, name)
	case tar.TypeLink:
		root.Remove(name) //nolint:errcheck // an earlier layer's, if there is one
		return root.Link(strings.TrimPrefix(path.Clean("/"+header.Linkname), "/"), name)
	case tar.TypeReg:
		root.Remove(name) //nolint:errcheck // an earlier layer's, if there is one
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm|0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		return errors.Join(err, f.Chmod(perm|0o400), f.Close())
	}
	return nil
}
