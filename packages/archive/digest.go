package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Digest returns the digest of a file or of a folder.
func Digest(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return FolderDigest(path)
	}
	return FileDigest(path)
}

// FileDigest returns the SHA-256 of a file in hexadecimal.
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

// Size returns the size of a file, or of all files in a folder, in bytes.
func Size(path string) (size int64, err error) {
	err = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
