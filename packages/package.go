package packages

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// packageFiles returns the files of a deployment package at /var/task, the bootstrap's and the handler's, sorted by
// name.
func (w *Workspace) packageFiles(ctx context.Context, name string, a arm.Architecture, dir string) ([]file, error) {
	out, err := w.bootstrap(ctx, name, a)
	if err != nil {
		return nil, err
	}
	exclude := w.exclude[dir]
	if exclude == nil {
		exclude = DefaultExclude()
	}
	handler, left, err := handlerFiles(dir, exclude)
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("build: handler folder %s: left out of its packages: %s\n", dir, strings.Join(left, ", "))
	if len(left) > 0 && !slices.Contains(w.told, line) {
		w.told = append(w.told, line)
		_, _ = io.WriteString(cmp.Or[io.Writer](w.Log, os.Stderr), line)
	}
	files := slices.Concat(out.files, handler)
	if w.Licences {
		files = append(files, licences(name)...)
	}
	slices.SortFunc(files, func(x, y file) int { return strings.Compare(x.Name, y.Name) })
	for i := 1; i < len(files); i++ {
		if name := files[i].Name; name == files[i-1].Name {
			return nil, fmt.Errorf("handler folder %s: the bootstrap also has a file named %s: rename yours", dir, name)
		}
	}
	return files, nil
}

// contentKey returns a key for the content of a package. format names the way in which the files are laid out.
func contentKey(format string, files []file) string {
	h := sha256.New()
	fmt.Fprintln(h, format)
	for _, f := range files {
		fmt.Fprintf(h, "%q %d %s\n", f.Name, f.Size, f.Sum)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// outputName returns a readable name for a package. The key makes it unique.
func outputName(bootstrap string, a arm.Architecture, handlerDir, key string) string {
	handler, err := filepath.Abs(handlerDir)
	if err != nil {
		handler = handlerDir
	}
	return fmt.Sprintf("%s-%s-%s-%s", bootstrap, a, filepath.Base(handler), key)
}
