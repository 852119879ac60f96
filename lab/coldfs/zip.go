package coldfs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/twinstart/twinstart/packages/archive"
)

// AddZIP adds a deployment package in Lambda's ZIP form, unpacked as Lambda does: modes and times as in the archive. Python compiles a module
// again at each start where the time in its .pyc is not the source's.
func (s *Store) AddZIP(file string) (*Package, error) {
	digest, err := archive.FileDigest(file)
	if err != nil {
		return nil, err
	}
	return s.Add(Digest("zip", digest), func(dir string) error {
		if err := archive.Unzip(file, dir); err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(file), err)
		}
		return nil
	})
}

// AddFolder adds a folder that the CDK CLI would zip when it deploys, with the one time that it gives every file.
func (s *Store) AddFolder(folder string) (*Package, error) {
	digest, err := archive.FolderDigest(folder)
	if err != nil {
		return nil, err
	}
	return s.Add(Digest("folder", digest), func(dir string) error {
		if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
			return fmt.Errorf("copying %s: %w", filepath.Base(folder), err)
		}
		return filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			return os.Chtimes(name, cdkTime, cdkTime) //nolint:gosec // a folder that this process has just made
		})
	})
}

// cdkTime is what the CDK CLI's archives hold, whatever the files': https://github.com/cdklabs/cdk-assets/blob/main/lib/private/archive.ts
var cdkTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
