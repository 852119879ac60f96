package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/staticbash"
)

type file struct {
	Name string // slash-separated, below the package's root
	Size int64
	Sum  string // SHA-256 of the content, hexadecimal

	source string // path of the content; if "", text has the content
	text   []byte
}

// inMemory returns a file whose content is in memory only.
func inMemory(name string, text []byte) file {
	return file{Name: name, Size: int64(len(text)), Sum: fmt.Sprintf("%x", sha256.Sum256(text)), text: text}
}

// describe reads a file and returns its size and hash.
func describe(path, name string) (file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return file{}, fmt.Errorf("reading a package's file: %w", err)
	}
	sum, err := archive.FileDigest(path)
	return file{Name: name, Size: info.Size(), Sum: sum, source: path}, err
}

// copyFile makes an executable copy of a file, and the folder for it. The mode does not depend on the umask.
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

// copyTo copies a file's content. If the file has changed since it was described, that is an error, because a package
// is named by its content.
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

// licences returns the files that must accompany a bootstrap when it is passed on.
func licences(bootstrap string) (files []file) {
	if !hasOwnBash(bootstrap) {
		return nil
	}
	// Reading embedded files cannot fail.
	_ = fs.WalkDir(staticbash.Licence, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			text, _ := staticbash.Licence.ReadFile(name)
			files = append(files, inMemory(path.Join("bash-licence", name), text))
		}
		return err
	})
	return files
}
