package deployment

import (
	"archive/zip"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/lab/coldfs"
)

// zip reads the names in the archive. If an entry cannot be read, unpacking reports that.
func (p *Package) zip() error {
	p.Kind = ZIP
	p.add = func(s *coldfs.Store, _ Needs) (*coldfs.Package, error) { return s.AddZIP(p.Path) }
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
	return fmt.Sprintf("%s has no file bootstrap: Lambda starts /var/task/bootstrap, so it must lie at the top of the ZIP%s", e.path, e.where)
}
