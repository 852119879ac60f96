package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/packages/archive"
)

// copyFile makes an executable copy and the folder for it. The mode does not depend on the umask.
func copyFile(to string, f file) error {
	err := os.MkdirAll(filepath.Dir(to), 0o755)
	if err == nil {
		err = archive.Replace(to, 0o755, func(out io.Writer) error { return copyTo(out, f) })
	}
	if err != nil {
		return fmt.Errorf("copying into a package: %w", err)
	}
	return nil
}

// copyTo copies a file and checks that it has not changed since it was listed, because a package's name promises
// its content.
func copyTo(out io.Writer, f file) error {
	if f.source == "" {
		_, err := out.Write(f.text)
		return err
	}
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
