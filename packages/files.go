package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeFile makes a file appear whole or not at all, together with the folders above it.
func writeFile(path string, data []byte) error {
	return writeWith(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeWith is writeFile for content that is written in pieces.
func writeWith(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making an output folder: %w", err)
	}
	tmp, err := os.CreateTemp(dir, ".tmp-")
	if err != nil {
		return fmt.Errorf("making a temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if err := write(tmp); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := tmp.Chmod(0o644); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}

// copyFile makes an executable copy, whatever the umask.
func copyFile(to string, f file) error {
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return fmt.Errorf("copying into a package: %w", err)
	}
	defer out.Close()
	if err := copyTo(out, f); err != nil {
		return fmt.Errorf("copying into a package: %w", err)
	}
	if err := out.Chmod(0o755); err != nil {
		return fmt.Errorf("copying into a package: %w", err)
	}
	return out.Close()
}

// copyTo copies a file that is still what it was when it was listed: a package's name promises its content.
func copyTo(out io.Writer, f file) error {
	in, err := os.Open(f.source)
	if err != nil {
		return err
	}
	defer in.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(out, h), in); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != f.Sum {
		return fmt.Errorf("%s changed while it was packed: call again", f.source)
	}
	return nil
}
