// Package archive unpacks deployment packages as Lambda does, writes files and folders atomically, and computes
// digests of content.
package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// Unzip unpacks a deployment package into an existing folder as Lambda does, with the modes and times in the archive.
// No entry and no link can lead out of the folder. Content that is larger than Lambda accepts is an error.
func Unzip(file, dir string) error {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer archive.Close()
	root, err := os.OpenRoot(dir) // os.Root keeps entries and links inside the folder
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(arm.MaxUnpackedZIP)
	for _, entry := range archive.File {
		if err := unzipEntry(entry, root, &left); err != nil {
			return fmt.Errorf("entry %q: %w", entry.Name, err)
		}
	}
	return nil
}

// unzipEntry unpacks one entry. It subtracts the bytes that it writes from left.
func unzipEntry(entry *zip.File, root *os.Root, left *int64) error {
	name := path.Clean(strings.ReplaceAll(entry.Name, `\`, "/"))
	if name == "." {
		return nil
	}
	if !filepath.IsLocal(name) {
		return errors.New("it leads out of the package: write the archive without it")
	}
	if strings.HasSuffix(entry.Name, "/") {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	from, err := entry.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	root.Remove(name) //nolint:errcheck // an earlier layer's, if there is one
	if entry.Mode()&os.ModeSymlink != 0 {
		target, err := io.ReadAll(io.LimitReader(from, 4096))
		if err != nil {
			return err
		}
		return root.Symlink(string(target), name)
	}
	perm := entry.Mode().Perm()
	if perm == 0 { // the archive has no Unix modes
		perm = 0o644
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm|0o200)
	if err != nil {
		return err
	}
	written, err := io.Copy(f, io.LimitReader(from, *left+1))
	if *left -= written; *left < 0 {
		err = fmt.Errorf("the package is larger than %d MB unpacked, Lambda's limit: leave files out", arm.MaxUnpackedZIP>>20)
	}
	err = errors.Join(err, f.Chmod(perm), f.Close()) // the mode does not depend on the umask
	if entry.Modified.Year() >= 1980 {               // otherwise the archive has no time
		err = errors.Join(err, root.Chtimes(name, entry.Modified, entry.Modified))
	}
	return err
}

// Lay makes the folder dir with the files of code, which is a folder or a ZIP file.
func Lay(code, dir string) error {
	info, err := os.Stat(code)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no %s", code)
	case err == nil && info.IsDir():
		return os.CopyFS(dir, os.DirFS(code))
	case err == nil:
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return err
	}
	return Unzip(code, dir)
}
