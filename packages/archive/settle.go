package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

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
