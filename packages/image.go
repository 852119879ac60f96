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

// ImageContext makes the build context of a container image and returns its folder, which has a Dockerfile, package/
// (the same files as the ZIP) and, for an image from scratch, root/ (files and folders that an empty base lacks). The
// error is an *ImpossibleError if the bootstrap needs a program that the base does not have, and an *UnavailableError
// if a part cannot be built here.
func (w *Workspace) ImageContext(
	ctx context.Context, p arm.Package, bootstrap string, a arm.Architecture, handlerDir string,
) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := find(bootstrap)
	if err != nil {
		return "", err
	}
	if p == arm.ImageMinimal && b.needs != "" {
		why := fmt.Sprintf("it needs %s, and an image from scratch has only the static Bash", b.needs)
		return "", &ImpossibleError{Arm: arm.ID(b.Name, p), Why: why}
	}
	dockerfile, err := images.Dockerfile(p)
	if err != nil {
		return "", err
	}
	files, err := w.packageFiles(ctx, bootstrap, a, handlerDir)
	if err != nil {
		return "", err
	}
	own := hasOwnBash(bootstrap)
	var bash file // for an image from scratch, if the package does not contain the static Bash
	if p == arm.ImageMinimal && !own {
		if bash, err = w.staticBash(ctx, a); err != nil {
			return "", err
		}
	}
	key := contentKey(fmt.Sprintf("image 1 %s %s %s", p, dockerfile, bash.Sum), files)
	dir := filepath.Join(w.Dir, "images", string(p), outputName(bootstrap, a, handlerDir, key))
	err = archive.Once(dir, func(tmp string) error {
		w.logf("laying out %s", filepath.Join(string(p), filepath.Base(dir)))
		err := os.WriteFile(filepath.Join(tmp, "Dockerfile"), dockerfile, 0o644)
		for _, f := range files {
			err = errors.Join(err, copyFile(filepath.Join(tmp, "package", filepath.FromSlash(f.Name)), f))
		}
		if p == arm.ImageMinimal {
			bin := filepath.Join(tmp, "root", "bin")
			err = errors.Join(err, os.MkdirAll(bin, 0o755), os.Mkdir(filepath.Join(tmp, "root", "tmp"), 0o755))
			if own {
				err = errors.Join(err, os.Symlink("../var/task/bash", filepath.Join(bin, "bash")))
			} else {
				err = errors.Join(err, copyFile(filepath.Join(bin, "bash"), bash))
			}
		}
		return errors.Join(err, archive.Settle(tmp))
	})
	if err != nil {
		return dir, fmt.Errorf("laying out an image: %w", err)
	}
	return dir, nil
}
