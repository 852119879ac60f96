package packages

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/staticbash"
)

// Layer makes the ZIP of a layer that contains a bootstrap, and returns its path. Lambda unpacks it at /opt. If a
// function on provided.al2023 has no bootstrap, Lambda starts the layer's, so the function's package is just a
// folder with a handler. See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html.
func (w *Workspace) Layer(ctx context.Context, bootstrap string, a arm.Architecture) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := w.bootstrap(ctx, bootstrap, a)
	if err != nil {
		return "", err
	}
	files := slices.Clone(out.files)
	for i, f := range files {
		if f.Name != "bootstrap" || !ownBash(bootstrap) {
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

// ownBash reports whether a bootstrap contains the static Bash.
func ownBash(bootstrap string) bool {
	b, err := find(bootstrap)
	_, own := b.recipe.(staticScript)
	return err == nil && own
}

// licences returns the files that must accompany a bootstrap that is passed on.
func licences(bootstrap string) (files []file) {
	if !ownBash(bootstrap) {
		return nil
	}
	_ = fs.WalkDir(staticbash.Licence, ".", func(name string, entry fs.DirEntry, err error) error { // it is embedded, so there is no error
		if err == nil && !entry.IsDir() {
			text, _ := staticbash.Licence.ReadFile(name)
			files = append(files, inMemory(path.Join("bash-licence", name), text))
		}
		return err
	})
	return files
}

// prebuilt returns the files of a Go bootstrap that came with the command.
func (w *Workspace) prebuilt(name string, a arm.Architecture) (output, bool) {
	b, _ := find(name)
	if _, compiled := b.recipe.(goMain); !compiled || w.Prebuilt == "" {
		return output{}, false
	}
	dir := filepath.Join(w.Prebuilt, name, string(a))
	f, err := describe(filepath.Join(dir, "bootstrap"), "bootstrap")
	return output{dir: dir, key: "prebuilt " + f.Sum, files: []file{f}}, err == nil
}
