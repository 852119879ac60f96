package deployment

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/twinstart/twinstart/lab/coldfs"
)

// digest returns the name of an image together with what it needs.
func (n Needs) digest(kind, digest string) string {
	return coldfs.Digest(slices.Concat([]string{kind, digest}, n.Folders, n.Files)...)
}

// meet makes the folders and empty files, each at its path below dir.
func (n Needs) meet(dir string) error {
	for _, name := range n.Folders {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range n.Files {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			return err
		}
	}
	return nil
}
