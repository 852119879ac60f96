package coldfs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/twinstart/twinstart/packages/archive"
)

// Unpack writes the content of a ZIP or of a folder into dir, over existing files. A ZIP is unpacked as Lambda does it,
// with the archive's modes and times: if a .pyc has another time than its source, Python compiles the module at each
// start. The files of a folder get the fixed time that the CDK CLI would give them.
func Unpack(path, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		if err := archive.Unzip(path, dir); err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(path), err)
		}
		return nil
	}
	each := func(do func(to string) error) error {
		return fs.WalkDir(os.DirFS(path), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return do(filepath.Join(dir, filepath.FromSlash(name)))
		})
	}
	err := each(os.RemoveAll)
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(path))
	}
	if err == nil {
		err = each(func(to string) error {
			if info, err := os.Lstat(to); err != nil || !info.Mode().IsRegular() {
				return err
			}
			return os.Chtimes(to, cdkTime, cdkTime)
		})
	}
	if err != nil {
		return fmt.Errorf("copying %s: %w", filepath.Base(path), err)
	}
	return nil
}

// cdkTime is the time of every file in the CDK CLI's archives:
// https://github.com/cdklabs/cdk-assets/blob/main/lib/private/archive.ts
var cdkTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
