// Package deployment opens deployment packages: a package at a path, or the package of a function in an assembly.
// The lab runs packages, and probe counts what they read.
package deployment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
)

// Kind says in which form a package was given.
type Kind string

// The kinds of package.
const (
	Bootstrap Kind = "bootstrap" // a single executable or script
	ZIP       Kind = "zip"
	Folder    Kind = "folder"        // the content of a ZIP
	Context   Kind = "image context" // a folder with a Dockerfile
	Tarball   Kind = "image tarball"
	Layout    Kind = "image layout" // an OCI layout
)

// Package is a deployment package that has not been unpacked yet.
type Package struct {
	Name         string // the package's path, or the arm of its function
	Path         string
	Kind         Kind
	Bytes        int64
	Architecture arm.Architecture // the function's, or the one that the bootstrap is built for; "" if unknown
	Image        *Image           // nil if the package is mounted at /var/task
	AtRoot       bool             // paths start at /: for an image, and for a ZIP with layers

	Bootstrap string // path of a layer's bootstrap in a ZIP; "" to start the code's own

	layers []string
	fill   func(dir string, needs Needs) error // writes the content; nil unpacks a ZIP, or copies a folder
}

// Needs lists what an image's root file system must contain, so that other things can be mounted there.
type Needs struct{ Folders, Files []string }

// Open finds out what kind of package is at a path.
func Open(path string) (*Package, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading a package: %w", err)
	}
	p := &Package{Name: path, Path: path, Bytes: info.Size()}
	if info.IsDir() {
		return p, p.folder()
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is neither a file nor a folder", path)
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
	return nil, fmt.Errorf("%s is not a package: want an ELF executable, a script with #!, a ZIP, a folder, an image tarball (docker save) or an OCI layout", path)
}

// Of returns the package of a function in an assembly.
func Of(f assembly.Function) (p *Package, err error) {
	switch {
	case f.PackageType == assembly.Image && f.Dockerfile != "":
		p = &Package{Path: f.Package}
		err = p.context(f.Dockerfile)
	case f.Managed():
		p, err = Code(f.Package)
	default:
		p, err = Open(f.Package)
	}
	if len(f.Layers) > 0 && f.PackageType == assembly.Zip {
		p, err = layered(f, p, err)
	}
	if err != nil {
		return nil, err
	}
	p.Name, p.Bytes = f.Identity.Arm, f.PackageSizeBytes
	if f.Architecture != "" {
		p.Architecture = f.Architecture
	}
	return p, nil
}

// Code opens the ZIP or folder at a path for a managed runtime, which starts none of its files.
func Code(path string) (*Package, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading a package: %w", err)
	}
	p := &Package{Name: path, Path: path, Kind: ZIP, Bytes: info.Size()}
	if info.IsDir() {
		p.Kind = Folder
		p.Bytes, _ = archive.Size(path) // Add reports files that cannot be read
	}
	return p, nil
}

// Add unpacks the package into a store. An image also gets what needs lists.
func (p *Package) Add(s *coldfs.Store, needs Needs) (*coldfs.Package, error) {
	digest, err := p.Digest()
	if err != nil {
		return nil, err
	}
	return s.Add(coldfs.Digest(slices.Concat([]string{string(p.Kind), digest}, needs.Folders, needs.Files)...), func(dir string) error {
		if p.fill == nil {
			return coldfs.Unpack(p.Path, dir)
		}
		return p.fill(dir, needs)
	})
}

// Digest returns a SHA-256 of the package as it was given: of a file, or of the names, modes and content of a
// folder, together with all layers.
func (p *Package) Digest() (string, error) {
	digest, err := archive.Digest(p.Path)
	for _, layer := range p.layers {
		of, layerErr := archive.Digest(layer)
		digest, err = coldfs.Digest(digest, of), errors.Join(err, layerErr)
	}
	return digest, err
}

// Function returns a function with this package, the given identity and Lambda's defaults.
func (p *Package) Function(id arm.Identity) assembly.Function {
	f := assembly.Function{LogicalID: id.Arm, Identity: id, PackageType: assembly.Zip, Runtime: "provided.al2023", Handler: id.Handler, TimeoutSeconds: 60,
		MemorySizeMB: id.MemorySizeMB, EphemeralStorageMB: 512, Environment: map[string]string{}, Architecture: id.Architecture, LogFormat: assembly.Text,
		Package: p.Path, PackageSizeBytes: p.Bytes}
	if p.Image != nil {
		f.PackageType, f.Runtime = assembly.Image, ""
		if p.Kind == Context {
			f.Dockerfile = "Dockerfile"
		}
		if id.Handler != "" {
			f.ImageConfig.Command = []string{id.Handler}
		}
	}
	return f
}

// ReadHead returns up to the first 512 bytes of a file.
func ReadHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return head(f)
}

func head(f io.Reader) ([]byte, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

// Built returns the architecture that an ELF file is built for, or "" for any other file.
func Built(path string) arm.Architecture {
	head, _ := ReadHead(path)
	return architecture(head)
}

// architecture returns the architecture in an ELF header, or "" for anything else. Starting the file then shows
// whether it works.
func architecture(head []byte) arm.Architecture {
	if len(head) < 20 || !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return ""
	}
	return map[byte]arm.Architecture{62: arm.X8664, 183: arm.ARM64}[head[18]] // e_machine, little-endian
}

func (p *Package) folder() error {
	bootstrap := filepath.Join(p.Path, "bootstrap")
	switch {
	case there(filepath.Join(p.Path, "Dockerfile")): // it copies the bootstrap that may lie beside it
		return p.context("Dockerfile")
	case there(bootstrap):
		p.Kind = Folder
		p.Bytes, _ = archive.Size(p.Path) // Add reports files that cannot be read
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
	return fmt.Errorf("%s holds neither a bootstrap nor a Dockerfile nor an OCI layout: Lambda starts /var/task/bootstrap%s", p.Path, remedy)
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Own reports whether a file of an image belongs to the user rather than to the image's base.
func (p *Package) Own(path string) bool {
	i := p.Image
	if i == nil || !i.Scratch || !i.flat {
		return true
	}
	return strings.HasPrefix(path, sandbox.TaskRoot+"/") || len(i.Entrypoint) > 0 && path == i.Entrypoint[0] ||
		len(i.Entrypoint) == 0 && len(i.Cmd) > 0 && path == i.Cmd[0]
}

// meet makes the folders and empty files, each at its path below dir.
func (n Needs) meet(dir string) error {
	for _, name := range n.Folders {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range n.Files {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// ManagedError says that a package is for a managed runtime, and none is named.
type ManagedError struct {
	Package string
	Runtime string // its family: python, nodejs, java, dotnet or ruby
}

func (e *ManagedError) Error() string {
	how, ok := map[string]string{"nodejs": "nodejs22.x --handler index.handler", "python": "python3.13 --handler app.handler", "java": "java21 --handler example.Handler::handleRequest"}[e.Runtime]
	if !ok {
		return fmt.Sprintf("%s is for a managed runtime (%s) that has no stand-in in the lab, and nothing is predicted: twinstart logs, or twinstart tune --source aws", e.Package, e.Runtime)
	}
	return fmt.Sprintf("%s is for a managed runtime (%s): the lab runs it with --runtime %s; nothing is predicted", e.Package, e.Runtime, how)
}

// managed returns the runtime that the files at the top of a package are for, or "" if no file shows it. The first
// file that shows a runtime decides, because helpers in a package may be in any language.
func managed(names ...string) string {
	for _, name := range names {
		dir, base := path.Split(name)
		switch ext := strings.ToLower(path.Ext(base)); {
		case base == "package.json" && dir == "":
			return "nodejs"
		case strings.HasSuffix(base, ".runtimeconfig.json") && dir == "":
			return "dotnet"
		case ext == ".py" && dir == "":
			return "python"
		case (ext == ".mjs" || ext == ".cjs" || ext == ".js") && dir == "":
			return "nodejs"
		case ext == ".rb" && dir == "":
			return "ruby"
		case ext == ".jar" && (dir == "" || dir == "lib/"), ext == ".class":
			return "java"
		}
	}
	return ""
}
