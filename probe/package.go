package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/image"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Kind is what a package was given as.
type Kind string

// The kinds of package.
const (
	Bootstrap Kind = "bootstrap" // an executable or script alone
	ZIP       Kind = "zip"
	Folder    Kind = "folder"        // the content of a ZIP
	Context   Kind = "image context" // a folder with a Dockerfile
	Tarball   Kind = "image tarball"
)

// Package is a deployment package that has not been unpacked yet.
type Package struct {
	Name         string
	Kind         Kind
	Bytes        int64
	Architecture arm.Architecture // that it is declared for; "" is what its executable says
	Handler      string           // "" is handler.run
	MemorySizeMB int              // 0 is 1024
	Environment  map[string]string

	atRoot  bool // an image: its paths start at /
	scratch bool // an image with nothing below it
	whole   bool // a scratch image that is the package through and through
	command []string
	env     []dockerfile.KV
	workDir string
	add     func(*coldfs.Store) (*coldfs.Package, error)
}

// Open finds out what lies at a path.
func Open(path string) (*Package, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading a package: %w", err)
	}
	p := &Package{Name: path, Bytes: info.Size()}
	if info.IsDir() {
		return p, p.folder(path)
	}
	if !info.Mode().IsRegular() {
		return nil, problem("%s is neither a file nor a folder", path)
	}
	head, err := readHead(path)
	if err != nil {
		return nil, fmt.Errorf("reading a package: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		p.Kind = ZIP
		p.add = func(s *coldfs.Store) (*coldfs.Package, error) { return s.AddZIP(path) }
	case bytes.HasPrefix(head, []byte("\x7fELF")), bytes.HasPrefix(head, []byte("#!")):
		p.Kind = Bootstrap
		p.add = func(s *coldfs.Store) (*coldfs.Package, error) { return addBootstrap(s, path) }
	case len(head) > 262 && string(head[257:262]) == "ustar", bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return p, p.tarball(path)
	default:
		return nil, problem("%s is no package: want an ELF executable, a script with #!, a ZIP, a folder, or an image tarball (docker save)", path)
	}
	return p, nil
}

// readHead returns up to the first 512 bytes.
func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

func (p *Package) folder(path string) error {
	if _, err := os.Lstat(filepath.Join(path, "bootstrap")); err == nil {
		p.Kind = Folder
		p.Bytes = treeSize(path)
		p.add = func(s *coldfs.Store) (*coldfs.Package, error) { return s.AddFolder(path) }
		return nil
	}
	if _, err := os.Stat(filepath.Join(path, "Dockerfile")); err == nil {
		return p.context(path, "Dockerfile")
	}
	return problem("%s holds neither a bootstrap nor a Dockerfile: Lambda starts /var/task/bootstrap", path)
}

// context is an image that copies onto its base.
func (p *Package) context(path, file string) error {
	definition, err := image.Read(path, file)
	if err != nil {
		return err
	}
	p.Kind, p.atRoot, p.Bytes = Context, true, treeSize(path)
	p.scratch, p.whole = definition.Scratch(), definition.Scratch()
	p.command, p.env, p.workDir = definition.Command(nil, nil), definition.Env, definition.WorkDir
	p.add = func(s *coldfs.Store) (*coldfs.Package, error) {
		digest, err := definition.Digest()
		if err != nil {
			return nil, err
		}
		return s.Add(coldfs.Digest("probe image", digest), func(dir string) error {
			if p.scratch {
				if err := mountPoints(dir); err != nil {
					return err
				}
			}
			return definition.LayOut(dir)
		})
	}
	return nil
}

// Of is a function of an assembly.
func Of(f assembly.Function) (*Package, error) {
	p := &Package{}
	var err error
	if f.PackageType == assembly.Image {
		p.Name = f.Package
		err = p.context(f.Package, f.Dockerfile)
	} else {
		p, err = Open(f.Package)
	}
	if err != nil {
		return nil, err
	}
	p.Name, p.Architecture, p.Handler, p.MemorySizeMB, p.Environment = f.Identity.Arm, f.Architecture, f.Handler, f.MemorySizeMB, f.Environment
	p.Bytes = f.PackageSizeBytes
	if len(f.ImageConfig.EntryPoint) > 0 {
		p.command = append([]string{}, f.ImageConfig.EntryPoint...)
	}
	if len(f.ImageConfig.Command) > 0 && len(p.command) > 0 {
		p.command = append(p.command[:1:1], f.ImageConfig.Command...)
	}
	return p, nil
}

func addBootstrap(s *coldfs.Store, path string) (*coldfs.Package, error) {
	digest, err := coldfs.FileDigest(path)
	if err != nil {
		return nil, err
	}
	return s.Add(coldfs.Digest("bootstrap", digest), func(dir string) error {
		from, err := os.Open(path)
		if err != nil {
			return err
		}
		defer from.Close()
		to, err := os.OpenFile(filepath.Join(dir, "bootstrap"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, from)
		return errors.Join(err, to.Chmod(0o755), to.Close())
	})
}

// mountPoints makes the folders that a root file system needs, and a file to bind an emulator on.
func mountPoints(dir string) error {
	for _, name := range append(lab.MountPoints(), sandbox.TaskRoot) {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, emulatorPath), nil, 0o755)
}

func treeSize(root string) (size int64) {
	filepath.WalkDir(root, func(_ string, entry fs.DirEntry, err error) error { //nolint:errcheck // what cannot be read is told when it is laid out
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}

// isPackage says of a file of a tarball's image whether it is the user's own rather than its base's.
func (p *Package) isPackage(path string) bool {
	if !p.atRoot || !p.scratch || p.whole {
		return true
	}
	return strings.HasPrefix(path, sandbox.TaskRoot+"/") || len(p.command) > 0 && path == p.command[0]
}
