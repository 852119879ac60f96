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

// Untar unpacks a tar archive into dir. No entry can lead out of dir. It skips devices, because each execution
// environment has its own. Content that is larger than an image may be is an error.
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
			return fmt.Errorf("the image is larger than %d GB unpacked, Lambda's limit: leave files out", arm.MaxImage>>30)
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
	if header.Typeflag != tar.TypeDir {
		root.Remove(name) //nolint:errcheck // an earlier layer's, if there is one
	}
	switch header.Typeflag {
	case tar.TypeDir:
		if err := root.MkdirAll(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return root.Chmod(name, perm|0o700)
	case tar.TypeSymlink:
		return root.Symlink(header.Linkname, name)
	case tar.TypeLink:
		return root.Link(strings.TrimPrefix(path.Clean("/"+header.Linkname), "/"), name)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm|0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		return errors.Join(err, f.Chmod(perm|0o400), f.Close())
	}
	return nil
}
