package staticbash

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/twinstart/twinstart/packages/archive"
)

// unpack unpacks the archive's only folder as dir, whose parent must exist. Every file gets the same time, so that
// make takes the generated files for up to date; otherwise it would need bison and autoconf.
func unpack(name, dir string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("unpacking the source: %w", err)
		}
	}()
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	compressed, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	above, err := os.MkdirTemp(filepath.Dir(dir), "unpack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(above)
	if err := archive.Untar(compressed, above); err != nil {
		return err
	}
	folders, err := os.ReadDir(above)
	if err != nil {
		return err
	}
	if len(folders) != 1 || !folders[0].IsDir() {
		return errors.New("it does not contain exactly one folder")
	}
	if err := os.Rename(filepath.Join(above, folders[0].Name()), dir); err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		return os.Chtimes(path, sourceTime, sourceTime) //nolint:gosec // a folder of our own making
	})
}

var sourceTime = time.Unix(315532800, 0) // the recipe's SOURCE_DATE_EPOCH
