package packages

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/staticbash"
)

// file is one file of a package.
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

// packageFiles returns the files of a deployment package at /var/task, sorted by name: those of the bootstrap and
// of the handler.
func (w *Workspace) packageFiles(ctx context.Context, bootstrap string, a arm.Architecture, handlerDir string) ([]file, error) {
	out, err := w.bootstrap(ctx, bootstrap, a)
	if err != nil {
		return nil, err
	}
	exclude, set := w.exclude[handlerDir]
	if !set {
		exclude = DefaultExclude()
	}
	handler, left, err := handlerFiles(handlerDir, exclude)
	if err != nil {
		return nil, err
	}
	if said := fmt.Sprintf("build: handler folder %s: left out of its packages: %s\n", handlerDir, strings.Join(left, ", ")); len(left) > 0 && !slices.Contains(w.told, said) {
		w.told = append(w.told, said)
		log := w.Log
		if log == nil {
			log = os.Stderr
		}
		_, _ = io.WriteString(log, said)
	}
	files := slices.Concat(out.files, handler)
	if w.Licences {
		files = append(files, licences(bootstrap)...)
	}
	slices.SortFunc(files, func(x, y file) int { return strings.Compare(x.Name, y.Name) })
	for i := 1; i < len(files); i++ {
		if files[i].Name == files[i-1].Name {
			return nil, fmt.Errorf("handler folder %s: the bootstrap also has a file named %s: rename yours", handlerDir, files[i].Name)
		}
	}
	return files, nil
}

// handlerFiles returns the files of a handler's folder, except its top-level testdata and excluded files, whose
// names are in left. The files are small and are hashed at every call, so a package is never older than its
// handler.
func handlerFiles(dir string, exclude []string) (files []file, left []string, err error) {
	err = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if name != "." && excluded(filepath.ToSlash(name), exclude) {
			left = append(left, name)
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			if name == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := os.Stat(file) // a link to a file counts as the file
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a folder, and a package can only contain those", file)
		}
		f, err := describe(file, filepath.ToSlash(name))
		files = append(files, f)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no handler folder %s: name one that contains handler.sh: %w", dir, fs.ErrNotExist)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading a handler folder: %w", err)
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("handler folder %s is empty: put a handler.sh there", dir)
	}
	return files, left, nil
}

// excluded reports whether a pattern matches a path or its last element.
func excluded(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		whole, _ := path.Match(pattern, name)
		last, _ := path.Match(pattern, path.Base(name))
		return whole || last
	})
}

// contentKey returns a package's name by its content. format distinguishes ways to lay out the same files.
func contentKey(format string, files []file) string {
	h := sha256.New()
	fmt.Fprintln(h, format)
	for _, f := range files {
		fmt.Fprintf(h, "%q %d %s\n", f.Name, f.Size, f.Sum)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// outputName returns a readable name, which key makes unique.
func outputName(bootstrap string, a arm.Architecture, handlerDir, key string) string {
	handler, err := filepath.Abs(handlerDir)
	if err != nil {
		handler = handlerDir
	}
	return fmt.Sprintf("%s-%s-%s-%s", bootstrap, a, filepath.Base(handler), key)
}

// UnavailableError says that something cannot be built on this machine.
type UnavailableError = staticbash.UnavailableError

// ImpossibleError says that an arm cannot exist on any machine.
type ImpossibleError struct {
	Arm string // arm.ID
	Why string
}

func (e *ImpossibleError) Error() string { return fmt.Sprintf("%s cannot exist: %s", e.Arm, e.Why) }

// possible returns an *ImpossibleError, or nil if the arm can exist.
func possible(b Bootstrap, p arm.Package) error {
	if p == arm.ImageMinimal && b.needs != "" {
		return &ImpossibleError{
			Arm: arm.ID(b.Name, p),
			Why: fmt.Sprintf("it needs %s, and an image from scratch has only the static Bash", b.needs),
		}
	}
	return nil
}

// about adds the bootstrap's name to an error of a recipe, unless the error already names it.
func about(name string, err error) error {
	if _, ok := errors.AsType[*UnavailableError](err); ok {
		return err
	}
	return fmt.Errorf("building %s: %w", name, err)
}
