package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Size returns the size of a file, or of all files in a folder, in bytes.
func Size(path string) (size int64, err error) {
	err = Files(path, func(_ string, info fs.FileInfo) error {
		size += info.Size()
		return nil
	})
	return size, err
}

// Files calls do with a file, or with all regular files in a folder, in the order of their names.
func Files(path string, do func(name string, info fs.FileInfo) error) error {
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return do(name, info)
	})
}

// Epoch is the modification time of every packaged file: the earliest time that a ZIP file can store. The times in a
// checkout differ from clone to clone and would change a package's hash.
var Epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// Settle sets the modes and times of all files and folders below dir, so that they do not depend on umask and clock.
// Everyone may read each file, and execute it if its owner may. Links are not changed.
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
	// From the inside out, because a change in a folder changes the folder's time.
	for _, name := range slices.Backward(folders) {
		err = errors.Join(err, os.Chmod(name, 0o755), os.Chtimes(name, Epoch, Epoch))
	}
	return err
}

// Digest returns the digest of a file or of a folder.
func Digest(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return FolderDigest(path)
	}
	return FileDigest(path)
}

// FileDigest returns the SHA-256 of a file in hexadecimal.
func FileDigest(file string) (string, error) {
	h := sha256.New()
	f, err := os.Open(file)
	if err == nil {
		defer f.Close()
		_, err = io.Copy(h, f)
	}
	if err != nil {
		return "", fmt.Errorf("reading a deployment package: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// FolderDigest returns a SHA-256 over the names, modes and content of a folder in hexadecimal.
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
