package packages

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// handlerFiles returns the files of a handler's folder, except its top-level testdata, and the names that exclude
// leaves out. The files are small and are hashed at every call, so a package is never older than its handler.
func handlerFiles(dir string, exclude []string) (files []file, left []string, err error) {
	root, _ := filepath.EvalSymlinks(dir) // the folder may be a link; "" if it does not exist
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		out := name != "." && excluded(filepath.ToSlash(name), exclude)
		if out {
			left = append(left, name)
		}
		switch {
		case entry.IsDir() && (out || name == "testdata"):
			return filepath.SkipDir
		case entry.IsDir() || out:
			return nil
		}
		info, err := os.Stat(file) // a link to a file counts as the file
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is a link to a folder, or a device: a package cannot contain it: copy or remove it", file)
		}
		f, err := describe(file, filepath.ToSlash(name))
		files = append(files, f)
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("there is no handler folder %s: name one that contains handler.sh: %w", dir, fs.ErrNotExist)
	case err != nil:
		err = fmt.Errorf("reading a handler folder: %w", err)
	case len(files) == 0:
		err = fmt.Errorf("handler folder %s is empty: put a handler.sh there", dir)
	}
	return files, left, err
}

// excluded reports whether a pattern matches a path or its last element.
func excluded(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		whole, _ := path.Match(pattern, name)
		last, _ := path.Match(pattern, path.Base(name))
		return whole || last
	})
}

// DefaultExclude lists what packages leave out of a handler's folder, at any depth: secrets, history and files that
// tools leave behind. They are patterns of path.Match for a name or a path.
func DefaultExclude() []string {
	return []string{".env", ".env.*", ".git", "node_modules", ".DS_Store"}
}

// Exclude replaces DefaultExclude for later packages of a handler's folder. An empty list leaves nothing out; nil
// restores the default.
func (w *Workspace) Exclude(handlerDir string, patterns []string) error {
	for _, pattern := range patterns {
		if _, err := path.Match(pattern, "x"); err != nil {
			return fmt.Errorf("excluding %q: %w", pattern, err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.exclude == nil {
		w.exclude = map[string][]string{}
	}
	w.exclude[handlerDir] = patterns
	return nil
}
