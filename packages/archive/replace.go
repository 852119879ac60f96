package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Cache returns a path below Twinstart's cache folder: TWINSTART_CACHE, else twinstart/ in the user's cache folder
// ($XDG_CACHE_HOME, ~/.cache, ~/Library/Caches). Everything there can be made again.
func Cache(elements ...string) (string, error) {
	dir := os.Getenv("TWINSTART_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("choosing a cache folder: %w: set TWINSTART_CACHE to one", err)
		}
		dir = filepath.Join(user, "twinstart")
	}
	return filepath.Abs(filepath.Join(append([]string{dir}, elements...)...))
}

// Replace writes a file atomically: a reader sees the old file, or none, or the complete new one. The mode does not
// depend on the umask. The folder must exist. If name exists and is not a regular file (/dev/null, a pipe), Replace
// only writes to it.
func Replace(name string, mode fs.FileMode, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("writing %s: %w: name another file", name, errors.Unwrap(err))
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil { // it names the temporary file
		return fmt.Errorf("writing %s: %w: name a file in a folder that is there", name, errors.Unwrap(err))
	}
	defer os.Remove(f.Name()) // after a success it no longer exists
	if err := errors.Join(write(f), f.Chmod(mode), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}

// ReplaceFile does what Replace does, with content that is in memory.
func ReplaceFile(name string, mode fs.FileMode, content []byte) error {
	return Replace(name, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// CopyFile copies a file with its mode. It makes the folders above the new path.
func CopyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return Replace(to, info.Mode().Perm(), func(out io.Writer) error {
		_, err := io.Copy(out, in)
		return err
	})
}

// Once makes a folder if it does not exist. fill writes the content into a temporary folder, which is renamed when it
// is complete, so several processes may make the same folder at the same time.
func Once(dir string, fill func(dir string) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	_, err := fresh(filepath.Dir(dir), fill, func(string) (string, error) { return dir, nil })
	return err
}

// unusedTime is how long Keep keeps a folder after its last use.
const unusedTime = 7 * 24 * time.Hour

// Keep makes a folder below parent, as Once does, and returns its path. The folder is named by its content. Keep also
// removes folders that were not used for a week.
func Keep(parent string, fill func(dir string) error) (string, error) {
	kept, err := fresh(parent, fill, func(dir string) (string, error) {
		digest, err := FolderDigest(dir)
		return filepath.Join(parent, digest[:min(16, len(digest))]), err
	})
	if err != nil {
		return "", err
	}
	return kept, Used(kept, unusedTime)
}

// fresh fills a temporary folder below parent, asks name for its path, and renames it.
func fresh(parent string, fill func(dir string) error, name func(dir string) (string, error)) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) // after a success it no longer exists
	if err := errors.Join(os.Chmod(dir, 0o755), fill(dir)); err != nil {
		return "", err
	}
	named, err := name(dir)
	if err != nil {
		return "", err
	}
	err = os.Rename(dir, named)
	if _, found := os.Stat(named); found == nil {
		return named, nil // if the rename failed, another process was first, with the same content
	}
	return "", err
}

// Used marks a folder as used now. It removes the entries beside it that were not used for the given time.
func Used(dir string, unused time.Duration) error {
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err != nil {
		return err
	}
	return Sweep(filepath.Dir(dir), unused)
}

// Sweep removes the entries of a folder that were neither written nor marked as used for the given time. A file named
// lock stays, because another process may wait for it.
func Sweep(dir string, unused time.Duration) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && entry.Name() != "lock" && time.Since(info.ModTime()) > unused {
			_ = os.RemoveAll(filepath.Join(dir, entry.Name())) // if this fails, a later call tries again
		}
	}
	return err
}
