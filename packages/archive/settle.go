package archive

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Epoch is the time of every packaged file. The times of a checkout differ from clone to clone and would change the
// package's hash. It is the earliest time that a ZIP can store.
var Epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// Settle sets modes and times, except of links, for everything below dir. They do not depend on umask or clock: what its owner may
// execute everyone may, and everyone may read the rest.
func Settle(dir string) error {
	var folders []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			folders = append(folders, path)
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if err == nil {
			err = os.Chmod(path, 0o644|info.Mode()&0o100*0o111/0o100) //nolint:gosec // a folder of our own making
		}
		if err != nil {
			return err
		}
		return os.Chtimes(path, Epoch, Epoch) //nolint:gosec // a folder of our own making
	})
	for i := len(folders) - 1; err == nil && i >= 0; i-- { // from the inside out, because a change of a child changes its folder's time
		if err = os.Chmod(folders[i], 0o755); err == nil {
			err = os.Chtimes(folders[i], Epoch, Epoch)
		}
	}
	return err
}
