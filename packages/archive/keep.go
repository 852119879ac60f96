package archive

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// unusedTime is how long a folder is kept that nobody has asked for.
const unusedTime = 7 * 24 * time.Hour

// Keep has fill make a folder below parent, and returns it under a name that follows from its content. It has that name once it is whole, for
// several may make it at a time. What nobody has asked for in a week goes.
func Keep(parent string, fill func(dir string) error) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh) // it is gone if all went well
	if err := errors.Join(os.Chmod(fresh, 0o755), fill(fresh)); err != nil {
		return "", err
	}
	digest, err := FolderDigest(fresh)
	if err != nil {
		return "", err
	}
	kept := filepath.Join(parent, digest[:16])
	err = os.Rename(fresh, kept)
	now := time.Now()
	if touched := os.Chtimes(kept, now, now); touched != nil { // as it would be if another process had not come first
		return "", errors.Join(err, touched)
	}
	entries, err := os.ReadDir(parent)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > unusedTime {
			_ = os.RemoveAll(filepath.Join(parent, entry.Name())) // the next one tries again
		}
	}
	return kept, err
}
