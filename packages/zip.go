package packages

import (
	"archive/zip"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
)

// epoch is the time of every packaged file. The times of a checkout differ from clone to clone and would change the
// package's hash. It is the earliest time that a ZIP can store.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// ZIP makes the deployment package of a function on provided.al2023 and returns its path. The error is an
// *UnavailableError if the bootstrap cannot be built here.
func (w *Workspace) ZIP(ctx context.Context, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	files, err := w.packageFiles(ctx, bootstrap, a, handlerDir)
	if err != nil {
		return "", err
	}
	return w.zip(outputName(bootstrap, a, handlerDir, contentKey("zip 1", files)), files)
}

// zip makes a ZIP file, unless a file of that name exists: the name stands for the content.
func (w *Workspace) zip(name string, files []file) (string, error) {
	path := filepath.Join(w.Dir, "zip", name+".zip")
	if _, err := os.Stat(path); err == nil {
		return path, nil // its name is its content, and it is renamed into place when complete
	}
	w.logf("packing %s", filepath.Base(path))
	return path, keepZIP(path, files)
}

// ZIPOf makes a deployment package that contains only a bootstrap, which may be any program.
func ZIPOf(path, bootstrap string) error {
	f, err := describe(bootstrap, "bootstrap")
	if err != nil {
		return err
	}
	return keepZIP(path, []file{f})
}

// keepZIP makes a ZIP file and the folder for it.
func keepZIP(path string, files []file) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making an output folder: %w", err)
	}
	return archive.Replace(path, 0o644, func(out io.Writer) error { return writeZIP(out, files) })
}

// writeZIP writes the files in the given order. Everyone may execute each of them: Lambda runs a function as
// another user, git stores no more of a mode than that bit, and a package must not depend on its builder's umask.
func writeZIP(out io.Writer, files []file) error {
	archive := zip.NewWriter(out)
	archive.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: epoch}
		header.SetMode(0o755)
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return fmt.Errorf("adding %s: %w", f.Name, err)
		}
		if err := copyTo(entry, f); err != nil {
			return fmt.Errorf("adding %s: %w", f.Name, err)
		}
	}
	return archive.Close()
}
