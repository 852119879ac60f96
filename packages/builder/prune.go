package builder

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The store keeps a name for this long after it was last given, and a blob for this long after it lost its last
// image. A day is longer than any build between writing its layers and giving its name.
const (
	keepNames = 30 * 24 * time.Hour
	keepBlobs = 24 * time.Hour
)

// annotationNamed is the time when an entry of the index was made.
const annotationNamed = "dev.twinstart.named"

// older reports whether an entry was made before a time. An entry without a time was made by another program, and
// is kept.
func older(d v1.Descriptor, than time.Time) bool {
	made, err := time.Parse(time.RFC3339, d.Annotations[annotationNamed])
	return err == nil && made.Before(than)
}

// Prune removes everything that is too old at the time now. All of it can be built or pulled again.
func (s *Store) Prune(now time.Time) error {
	return s.change(func(all []v1.Descriptor) ([]v1.Descriptor, error) {
		all = slices.DeleteFunc(all, func(d v1.Descriptor) bool { return older(d, now.Add(-keepNames)) })
		wanted := map[string]bool{}
		for _, d := range all {
			wanted[d.Digest.Hex] = true
			manifest, err := s.manifest(d.Digest)
			if err != nil {
				continue // an image that has lost its blobs does not count
			}
			for _, blob := range append(manifest.Layers, manifest.Config) {
				wanted[blob.Digest.Hex] = true
			}
		}
		return all, errors.Join(removeOld(filepath.Join(s.dir, "layout", "blobs", "sha256"), now.Add(-keepBlobs), wanted),
			removeOld(filepath.Join(s.dir, "temporary"), now.Add(-keepBlobs), nil))
	})
}

// removeOld removes the files of a folder that were last written before a time, except wanted ones.
func removeOld(dir string, before time.Time, wanted map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || wanted[entry.Name()] || !info.ModTime().Before(before) {
			continue // already removed, wanted, or being written
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return err
}
