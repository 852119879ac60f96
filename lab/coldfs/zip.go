package coldfs

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// AddZIP adds a deployment package in Lambda's ZIP form, unpacked as Lambda does: modes and times as in the archive. Python compiles a module
// again at each start where the time in its .pyc is not the source's.
func (s *Store) AddZIP(file string) (*Package, error) {
	digest, err := FileDigest(file)
	if err != nil {
		return nil, err
	}
	return s.Add(Digest("zip", digest), func(dir string) error {
		if err := unzip(file, dir); err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(file), err)
		}
		return nil
	})
}

// AddFolder adds a folder that the CDK CLI would zip when it deploys, with the one time that it gives every file.
func (s *Store) AddFolder(folder string) (*Package, error) {
	digest, err := FolderDigest(folder)
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

// FileDigest is the SHA-256 of a file, in hexadecimal.
func FileDigest(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("reading a deployment package: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading a deployment package: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// FolderDigest is a SHA-256 over the names, modes and content of a folder, in hexadecimal.
func FolderDigest(folder string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		content := ""
		switch {
		case entry.Type().IsRegular():
			content, err = FileDigest(name)
		case entry.Type()&fs.ModeSymlink != 0:
			content, err = os.Readlink(name)
		}
		fmt.Fprintf(h, "%q %v %q\n", rel, info.Mode(), content)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading a deployment package: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// unpackedLimit is Lambda's, in bytes.
// See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const unpackedLimit = 250 << 20

func unzip(file, dir string) error {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer archive.Close()
	root, err := os.OpenRoot(dir) // no entry, and no link of an entry, leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(unpackedLimit)
	for _, entry := range archive.File {
		if err := unzipEntry(entry, root, &left); err != nil {
			return fmt.Errorf("entry %q: %w", entry.Name, err)
		}
	}
	return nil
}

// unzipEntry takes what it writes off left.
func unzipEntry(entry *zip.File, root *os.Root, left *int64) error {
	name := path.Clean(strings.ReplaceAll(entry.Name, `\`, "/"))
	if name == "." {
		return nil
	}
	if !filepath.IsLocal(name) {
		return errors.New("it leads out of the package")
	}
	if strings.HasSuffix(entry.Name, "/") {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	from, err := entry.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	if entry.Mode()&os.ModeSymlink != 0 {
		target, err := io.ReadAll(io.LimitReader(from, 4096))
		if err != nil {
			return err
		}
		return root.Symlink(string(target), name)
	}
	perm := entry.Mode().Perm()
	if perm == 0 { // archived without Unix modes
		perm = 0o644
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm|0o200)
	if err != nil {
		return err
	}
	written, err := io.Copy(f, io.LimitReader(from, *left+1))
	if *left -= written; *left < 0 {
		err = fmt.Errorf("the package is larger than %d MB unpacked, which Lambda does not take", unpackedLimit>>20)
	}
	return errors.Join(err, f.Chmod(perm), f.Close(), setTime(root, name, entry)) // whatever the umask
}

// setTime has a file as old as in the archive. A time that no archive holds (0, or before 1980) is left out.
func setTime(root *os.Root, name string, entry *zip.File) error {
	if entry.Modified.Year() < 1980 {
		return nil
	}
	return root.Chtimes(name, entry.Modified, entry.Modified)
}
