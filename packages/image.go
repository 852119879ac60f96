package packages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/images"
	"github.com/twinstart/twinstart/packages/archive"
)

// ImageContext lays out the folder from which a container image is built, and returns its path. It has a
// Dockerfile, package/ (the same files as the ZIP) and, for an image from scratch, root/ (what an empty base
// lacks). The error is an *ImpossibleError if the bootstrap needs a program that the base does not have, and an
// *UnavailableError if a part cannot be built here.
func (w *Workspace) ImageContext(ctx context.Context, p arm.Package, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := find(bootstrap)
	if err != nil {
		return "", err
	}
	if err := possible(b, p); err != nil {
		return "", err
	}
	dockerfile, err := images.Dockerfile(p)
	if err != nil {
		return "", err
	}
	files, err := w.packageFiles(ctx, bootstrap, a, handlerDir)
	if err != nil {
		return "", err
	}
	root, err := w.root(ctx, p, b, a)
	if err != nil {
		return "", err
	}
	key := contentKey(fmt.Sprintf("image 1 %s %s %s", p, dockerfile, root.bash.Sum), files)
	dir := filepath.Join(w.Dir, "images", string(p), outputName(bootstrap, a, handlerDir, key))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil // its name is its content, and it is renamed into place when complete
	}
	w.logf("laying out %s", filepath.Join(string(p), filepath.Base(dir)))
	if err := archive.Once(dir, func(tmp string) error { return layOut(tmp, dockerfile, files, root) }); err != nil {
		return dir, fmt.Errorf("laying out an image: %w", err)
	}
	return dir, nil
}

// root says what root/ of an image from scratch contains besides an empty /tmp.
type root struct {
	wanted bool
	linked bool // /bin/bash is a link to the package's Bash
	bash   file
}

func (w *Workspace) root(ctx context.Context, p arm.Package, b Bootstrap, a arm.Architecture) (root, error) {
	if p != arm.ImageMinimal {
		return root{}, nil
	}
	if _, own := b.recipe.(staticScript); own {
		return root{wanted: true, linked: true}, nil
	}
	bash, err := w.staticBash(ctx, a)
	return root{wanted: true, bash: bash}, err
}

func layOut(tmp string, dockerfile []byte, files []file, root root) error {
	if err := os.WriteFile(filepath.Join(tmp, "Dockerfile"), dockerfile, 0o644); err != nil {
		return err
	}
	for _, f := range files {
		if err := copyFile(filepath.Join(tmp, "package", filepath.FromSlash(f.Name)), f); err != nil {
			return err
		}
	}
	return errors.Join(root.layOut(filepath.Join(tmp, "root")), archive.Settle(tmp))
}

func (r root) layOut(dir string) error {
	if !r.wanted {
		return nil
	}
	for _, sub := range []string{"bin", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	if r.linked {
		return os.Symlink("../var/task/bash", filepath.Join(dir, "bin", "bash"))
	}
	return copyFile(filepath.Join(dir, "bin", "bash"), r.bash)
}
