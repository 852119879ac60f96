package staticbash

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// unpack lays the archive's one folder out as dir. Every file gets the same time, so that make, which would otherwise need bison
// and autoconf, takes the generated files for up to date.
func unpack(name, dir string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("unpacking the source: %w", err)
	}
	defer f.Close()
	compressed, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("unpacking the source: %w", err)
	}
	for archive := tar.NewReader(compressed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpacking the source: %w", err)
		}
		if err := unpackEntry(archive, header, dir); err != nil {
			return fmt.Errorf("unpacking %s: %w", header.Name, err)
		}
	}
}

func unpackEntry(content io.Reader, header *tar.Header, dir string) error {
	_, below, _ := strings.Cut(header.Name, "/")
	if below == "" {
		return nil // the folder itself
	}
	if !filepath.IsLocal(below) {
		return errors.New("the name leads out of the archive")
	}
	path := filepath.Join(dir, below)
	switch header.Typeflag {
	case tar.TypeDir:
		return os.MkdirAll(path, 0o755)
	case tar.TypeReg:
	default:
		return nil // Bash's source has files and folders only
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, header.FileInfo().Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(file, content); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Chtimes(path, sourceTime, sourceTime)
}

var sourceTime = time.Unix(315532800, 0) // the recipe's SOURCE_DATE_EPOCH
