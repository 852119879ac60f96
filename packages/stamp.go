package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

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

// stamp says what a bootstrap's folder was made from and what it then contained. A folder without a stamp, or with
// files that differ from it, is made again: its build was interrupted, or it was changed, or two processes made it
// at once from different sources.
type stamp struct {
	Key   string
	Files []file
}

// upToDate returns the files of an output folder, or nil if they are not what key makes. It reads the files. Times
// would be faster to compare, but sizes and times can be equal when bytes are not.
func (w *Workspace) upToDate(dir, key string) []file {
	data, err := os.ReadFile(w.stampPath(dir))
	if err != nil {
		return nil
	}
	var s stamp
	if json.Unmarshal(data, &s) != nil || s.Key != key {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(s.Files) {
		return nil // a file was removed or added by hand
	}
	for i, want := range s.Files {
		path := filepath.Join(dir, want.Name)
		info, err := os.Lstat(path)
		if err != nil || info.Mode() != 0o755 || info.Size() != want.Size {
			return nil
		}
		if s.Files[i], err = describe(path, want.Name); err != nil || s.Files[i].Sum != want.Sum {
			return nil
		}
	}
	return s.Files
}

// install renames each finished file from tmp into dir and writes the stamp. Two processes that do so at once
// install the same bytes.
func (w *Workspace) install(tmp, dir, key string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making an output folder: %w", err)
	}
	entries, err := os.ReadDir(tmp)
	if err != nil {
		return fmt.Errorf("listing what was built: %w", err)
	}
	s := stamp{Key: key}
	keep := map[string]bool{}
	for _, entry := range entries {
		from, to := filepath.Join(tmp, entry.Name()), filepath.Join(dir, entry.Name())
		if err := os.Chmod(from, 0o755); err != nil { // independent of the umask
			return fmt.Errorf("setting a mode: %w", err)
		}
		f, err := describe(from, entry.Name())
		if err != nil {
			return err
		}
		if err := os.Rename(from, to); err != nil {
			return fmt.Errorf("installing a bootstrap: %w", err)
		}
		s.Files = append(s.Files, f)
		keep[entry.Name()] = true
	}
	old, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("listing an output folder: %w", err)
	}
	for _, entry := range old {
		if !keep[entry.Name()] {
			if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
				return fmt.Errorf("tidying an output folder: %w", err)
			}
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding a stamp: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(w.stampPath(dir)), 0o755); err != nil {
		return fmt.Errorf("making an output folder: %w", err)
	}
	return archive.ReplaceFile(w.stampPath(dir), 0o644, data)
}

// stampPath returns a path outside the output folder, because that folder contains only a package's files.
func (w *Workspace) stampPath(dir string) string {
	return filepath.Join(w.Dir, "stamps", filepath.Base(filepath.Dir(dir))+"-"+filepath.Base(dir)+".json")
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
