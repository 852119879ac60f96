package packages

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
)

// ZIP makes the deployment package of a function on provided.al2023 and returns its path. If the bootstrap cannot be
// built here, the error is an *UnavailableError.
func (w *Workspace) ZIP(ctx context.Context, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	files, err := w.packageFiles(ctx, bootstrap, a, handlerDir)
	if err != nil {
		return "", err
	}
	return w.zip(outputName(bootstrap, a, handlerDir, contentKey("zip 1", files)), files)
}

// zip makes a ZIP file, unless one with that name exists. The name must identify the content.
func (w *Workspace) zip(name string, files []file) (string, error) {
	path := filepath.Join(w.Dir, "zip", name+".zip")
	if _, err := os.Stat(path); err == nil {
		return path, nil // it was renamed into place when it was complete
	}
	w.logf("packing %s", filepath.Base(path))
	return path, keepZIP(path, files)
}

// ZIPOf makes a deployment package that contains any program as its bootstrap, and nothing else.
func ZIPOf(path, bootstrap string) error {
	f, err := describe(bootstrap, "bootstrap")
	if err != nil {
		return err
	}
	return keepZIP(path, []file{f})
}

func keepZIP(path string, files []file) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making an output folder: %w", err)
	}
	return archive.Replace(path, 0o644, func(out io.Writer) error { return writeZIP(out, files) })
}

// writeZIP writes the files in the given order. Everyone may execute each of them: Lambda runs a function as
// another user, git stores no more of a mode than that bit, and a package must not depend on its builder's umask.
func writeZIP(out io.Writer, files []file) error {
	packed := zip.NewWriter(out)
	packed.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: archive.Epoch}
		header.SetMode(0o755)
		entry, err := packed.CreateHeader(header)
		if err != nil {
			return fmt.Errorf("adding %s: %w", f.Name, err)
		}
		if err := copyTo(entry, f); err != nil {
			return fmt.Errorf("adding %s: %w", f.Name, err)
		}
	}
	return packed.Close()
}

// Layer makes the ZIP file of a layer that contains a bootstrap, and returns its path. Lambda unpacks it at /opt and,
// if the package of a function on provided.al2023 has no bootstrap, starts the layer's. So such a package has just the
// handler's files. See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html.
func (w *Workspace) Layer(ctx context.Context, bootstrap string, a arm.Architecture) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := w.bootstrap(ctx, bootstrap, a)
	if err != nil {
		return "", err
	}
	files := slices.Clone(out.files)
	for i, f := range files {
		if f.Name != "bootstrap" || !hasOwnBash(bootstrap) {
			continue
		}
		text, err := os.ReadFile(f.source)
		if err != nil {
			return "", fmt.Errorf("reading a bootstrap: %w", err)
		}
		files[i] = inMemory(f.Name, bytes.Replace(text, []byte(interpreter), []byte(interpreterInLayer), 1))
	}
	if w.Licences {
		files = append(files, licences(bootstrap)...)
	}
	return w.zip(fmt.Sprintf("%s-%s-layer-%s", bootstrap, a, contentKey("zip 1", files)), files)
}
