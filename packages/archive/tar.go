package archive

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

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

// Digest returns the digest of a file or of a folder.
func Digest(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return FolderDigest(path)
	}
	return FileDigest(path)
}

// FileDigest returns the SHA-256 of a file in hexadecimal.
func FileDigest(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("reading a deployment package: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading a deployment package: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// FolderDigest returns a SHA-256 over the names, modes and content of a folder in hexadecimal.
func FolderDigest(folder string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		content := ""
		switch {
		case entry.Type().IsRegular():
			content, err = FileDigest(name)
		case entry.Type()&fs.ModeSymlink != 0:
			content, err = os.Readlink(name)
		}
		fmt.Fprintf(h, "%q %v %q\n", rel, info.Mode(), content)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading a deployment package: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Size returns the size of a file, or of all files in a folder, in bytes.
func Size(path string) (size int64, err error) {
	err = Files(path, func(_ string, info fs.FileInfo) error {
		size += info.Size()
		return nil
	})
	return size, err
}

// Files calls do with a file, or with all regular files in a folder, in the order of their names.
func Files(path string, do func(name string, info fs.FileInfo) error) error {
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return do(name, info)
	})
}

// Epoch is the time of every packaged file. The times of a checkout differ from clone to clone and would change the
// package's hash. It is the earliest time that a ZIP can store.
var Epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// Settle sets modes and times, except of links, for everything below dir. They do not depend on umask or clock: what
// its owner may execute everyone may, and everyone may read the rest.
func Settle(dir string) error {
	err := Files(dir, func(name string, info fs.FileInfo) error {
		return errors.Join(os.Chmod(name, 0o644|info.Mode()&0o100*0o111/0o100), os.Chtimes(name, Epoch, Epoch))
	})
	var folders []string
	err = errors.Join(err, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, name)
		}
		return err
	}))
	for _, name := range slices.Backward(folders) { // from the inside out, because a change of a child changes its folder's time
		err = errors.Join(err, os.Chmod(name, 0o755), os.Chtimes(name, Epoch, Epoch))
	}
	return err
}
