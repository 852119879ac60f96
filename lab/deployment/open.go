package deployment

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages/archive"
)

// Open finds out what kind of package is at a path.
func Open(path string) (*Package, error) {
	p, err := Code(path)
	if err != nil {
		return nil, err
	}
	if p.Kind == Folder {
		return p, p.folder()
	}
	head, err := ReadHead(path)
	if err != nil {
		return nil, fmt.Errorf("reading a package: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return p, p.zip()
	case bytes.HasPrefix(head, []byte("\x7fELF")), bytes.HasPrefix(head, []byte("#!")):
		p.Kind, p.Architecture = Bootstrap, architecture(head)
		p.fill = func(dir string, _ Needs) error {
			to := filepath.Join(dir, "bootstrap")
			return errors.Join(archive.CopyFile(path, to), os.Chmod(to, 0o755))
		}
		return p, nil
	case len(head) > 262 && string(head[257:262]) == "ustar", bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return p, p.tarball()
	}
	if why := managed(filepath.Base(path)); why != "" {
		return nil, &ManagedError{Package: path, Runtime: why}
	}
	return nil, fmt.Errorf("%s is not a package: want an ELF executable, a script with #!, a ZIP, a folder, "+
		"an image tarball (docker save) or an OCI layout", path)
}

func (p *Package) folder() error {
	bootstrap := filepath.Join(p.Path, "bootstrap")
	switch {
	case there(filepath.Join(p.Path, "Dockerfile")): // first, because it may copy a bootstrap in this folder
		return p.context("Dockerfile")
	case there(bootstrap):
		p.Kind = Folder
		if head, err := ReadHead(bootstrap); err == nil {
			p.Architecture = architecture(head)
		}
		return nil
	case there(filepath.Join(p.Path, "oci-layout")):
		return p.layout()
	}
	entries, err := os.ReadDir(p.Path)
	if err != nil {
		return fmt.Errorf("reading a package: %w", err)
	}
	if runtime := managed(list.Map(entries, os.DirEntry.Name)...); runtime != "" {
		return &ManagedError{Package: p.Path, Runtime: runtime}
	}
	remedy := ""
	if there(filepath.Join(p.Path, "handler.sh")) {
		remedy = "; it is a handler's folder: twinstart run packs it with --bootstrap rawsyscall"
	}
	return fmt.Errorf("%s holds neither a bootstrap nor a Dockerfile nor an OCI layout: "+
		"Lambda starts /var/task/bootstrap%s", p.Path, remedy)
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
