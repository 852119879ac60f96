package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace writes a file so that others see the old one, or none, or the new one whole, whatever the umask. Its folder exists.
func Replace(name string, mode fs.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	defer os.Remove(f.Name()) // it is gone if all went well
	if err := errors.Join(write(f), f.Chmod(mode), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}

// ReplaceFile is Replace for content that is at hand.
func ReplaceFile(name string, mode fs.FileMode, content []byte) error {
	return Replace(name, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
