package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/twinstart/twinstart/packages/archive"
)

// file is one file of a package.
type file struct {
	Name string // slash-separated, below the package's root
	Size int64
	Sum  string // SHA-256 of the content, hexadecimal

	source string // path of the content; if "", text has the content
	text   []byte
}

// upToDate returns the files of an output folder, or nil if they are not what key makes: its build was interrupted, or
// it was changed, or two processes made it at once from different sources. It reads the files. Times would be faster
// to compare, but sizes and times can be equal when bytes are not.
func (w *Workspace) upToDate(dir, key string) []file {
	files, _, err := handlerFiles(dir, nil)
	stamp, stampErr := os.ReadFile(w.stampPath(dir))
	if err != nil || stampErr != nil || string(stamp) != contentKey(key, files) {
		return nil
	}
	for _, f := range files {
		if info, err := os.Lstat(f.source); err != nil || info.Mode() != 0o755 {
			return nil
		}
	}
	return files
}

// install renames each finished file from tmp into dir and writes the stamp, which says what the folder was made from
// and what it contains. Two processes that do so at once install the same bytes.
func (w *Workspace) install(tmp, dir, key string) error {
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.MkdirAll(filepath.Dir(w.stampPath(dir)), 0o755)); err != nil {
		return fmt.Errorf("making an output folder: %w", err)
	}
	files, _, err := handlerFiles(tmp, nil)
	if err != nil {
		return fmt.Errorf("listing what was built: %w", err)
	}
	old, err := os.ReadDir(dir)
	for _, entry := range old {
		if !slices.ContainsFunc(files, func(f file) bool { return f.Name == entry.Name() }) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
	}
	for _, f := range files {
		err = errors.Join(err, os.Chmod(f.source, 0o755), os.Rename(f.source, filepath.Join(dir, f.Name))) // whatever the umask
	}
	if err != nil {
		return fmt.Errorf("installing a bootstrap: %w", err)
	}
	return archive.ReplaceFile(w.stampPath(dir), 0o644, []byte(contentKey(key, files)))
}

// stampPath returns a path outside the output folder, because that folder contains only a package's files.
func (w *Workspace) stampPath(dir string) string {
	return filepath.Join(w.Dir, "stamps", filepath.Base(filepath.Dir(dir))+"-"+filepath.Base(dir))
}

// inMemory returns a file whose content is in memory only.
func inMemory(name string, text []byte) file {
	return file{Name: name, Size: int64(len(text)), Sum: fmt.Sprintf("%x", sha256.Sum256(text)), text: text}
}

// describe reads a file and returns its size and hash.
func describe(path, name string) (file, error) {
	in, err := os.Open(path)
	if err != nil {
		return file{}, fmt.Errorf("reading a package's file: %w", err)
	}
	defer in.Close()
	h := sha256.New()
	n, err := io.Copy(h, in)
	if err != nil {
		return file{}, fmt.Errorf("reading a package's file: %w", err)
	}
	return file{Name: name, Size: n, Sum: hex.EncodeToString(h.Sum(nil)), source: path}, nil
}
