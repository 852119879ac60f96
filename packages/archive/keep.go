package archive

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// unusedTime is how long Keep keeps a folder after its last use.
const unusedTime = 7 * 24 * time.Hour

// Keep makes a folder below parent and returns it. fill writes its content, and the folder's name follows from the
// content. The folder gets that name only when it is complete, because several processes may make it at the same
// time. Keep also removes folders that were not used for a week.
func Keep(parent string, fill func(dir string) error) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh) // after a success it no longer exists
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
	if touched := os.Chtimes(kept, now, now); touched != nil { // mark it as used, also if another process made it
		return "", errors.Join(err, touched)
	}
	entries, err := os.ReadDir(parent)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > unusedTime {
			_ = os.RemoveAll(filepath.Join(parent, entry.Name())) // if this fails, a later call tries again
		}
	}
	return kept, err
}
