package deployment

import (
	"archive/zip"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// zip opens a ZIP. Entries that cannot be read are reported when the package is unpacked.
func (p *Package) zip() error {
	p.Kind = ZIP
	archive, err := zip.OpenReader(p.Path)
	if err != nil {
		return fmt.Errorf("%s cannot be read as a ZIP (%w): write it again", p.Path, err)
	}
	defer archive.Close()
	var names []string
	for _, entry := range archive.File {
		name := strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(entry.Name, `\`, "/")), "/")
		if name != "bootstrap" {
			names = append(names, name)
			continue
		}
		if from, err := entry.Open(); err == nil {
			head, _ := head(from) // unpacking reports a broken entry
			p.Architecture = architecture(head)
			from.Close()
		}
		return nil
	}
	if runtime := managed(names...); runtime != "" {
		return &ManagedError{Package: p.Path, Runtime: runtime}
	}
	where := ""
	if i := slices.IndexFunc(names, func(name string) bool { return path.Base(name) == "bootstrap" }); i >= 0 {
		where = fmt.Sprintf(" (it has %s: zip from within that folder)", names[i])
	}
	return &EntrypointError{p.Path, where}
}

// EntrypointError says that a ZIP has no file that Lambda could start.
type EntrypointError struct{ path, where string }

func (e *EntrypointError) Error() string {
	return fmt.Sprintf("%s has no file bootstrap: Lambda starts /var/task/bootstrap, "+
		"so it must lie at the top of the ZIP%s", e.path, e.where)
}

// layered combines the code and its layers in one file system, so that all of it is cold. A file in a later layer
// replaces the file of that name in an earlier one. If the code has no bootstrap, a layer's is started; err, which Open
// returned for the code, is then ignored.
func layered(f assembly.Function, p *Package, err error) (*Package, error) {
	if err != nil { // a layer may have what the code lacks
		code, codeErr := Code(f.Package)
		if codeErr != nil {
			return nil, err
		}
		p = code
		p.Bootstrap = sandbox.LayerRoot + "/bootstrap"
	}
	p.AtRoot, p.layers = true, f.Layers
	p.fill = func(dir string, _ Needs) error {
		if err := coldfs.Unpack(p.Path, filepath.Join(dir, sandbox.TaskRoot)); err != nil {
			return err
		}
		for _, layer := range p.layers {
			if err := coldfs.Unpack(layer, filepath.Join(dir, sandbox.LayerRoot)); err != nil {
				return err
			}
		}
		return nil
	}
	return p, nil
}
