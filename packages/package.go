package packages

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// packageFiles lists what a deployment package holds, at /var/task: the bootstrap's files and the handler's, sorted by name.
func (w *Workspace) packageFiles(ctx context.Context, bootstrap string, a arm.Architecture, handlerDir string) ([]file, error) {
	out, err := w.bootstrap(ctx, bootstrap, a)
	if err != nil {
		return nil, err
	}
	handler, err := handlerFiles(handlerDir)
	if err != nil {
		return nil, err
	}
	files := slices.Concat(out.files, handler)
	slices.SortFunc(files, func(x, y file) int { return strings.Compare(x.Name, y.Name) })
	for i := 1; i < len(files); i++ {
		if files[i].Name == files[i-1].Name {
			return nil, fmt.Errorf("handler folder %s: the file %s has the name of one of the bootstrap's: rename it", handlerDir, files[i].Name)
		}
	}
	return files, nil
}

// handlerFiles lists a handler's folder, without its top-level testdata. They are small and hashed at every call, so that a package
// is never older than its handler.
func handlerFiles(dir string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := os.Stat(path) // a link to a file stands for the file
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a folder: a package holds only those", path)
		}
		f, err := describe(path, filepath.ToSlash(name))
		files = append(files, f)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no handler folder %s: name one that holds handler.sh: %w", dir, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a handler folder: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("handler folder %s is empty: put a handler.sh there", dir)
	}
	return files, nil
}

// contentKey names a package by what it holds: format tells apart the ways of laying the same files out.
func contentKey(format string, files []file) string {
	h := sha256.New()
	fmt.Fprintln(h, format)
	for _, f := range files {
		fmt.Fprintf(h, "%q %d %s\n", f.Name, f.Size, f.Sum)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// outputName is readable first and unique by its key.
func outputName(bootstrap string, a arm.Architecture, handlerDir, key string) string {
	handler, err := filepath.Abs(handlerDir)
	if err != nil {
		handler = handlerDir
	}
	return fmt.Sprintf("%s-%s-%s-%s", bootstrap, a, filepath.Base(handler), key)
}
