package deployment

import (
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// layered combines the code with its layers into one file system, so that all of it is cold. A file of a later
// layer replaces one of an earlier layer. If the code has no bootstrap, the bootstrap of a layer is started.
func layered(f assembly.Function, p *Package, err error) (*Package, error) {
	if info, statErr := os.Stat(f.Package); err != nil && statErr == nil {
		p = &Package{Path: f.Package, Kind: ZIP, Bootstrap: sandbox.LayerRoot + "/bootstrap"}
		if info.IsDir() {
			p.Kind = Folder
		}
	} else if err != nil {
		return nil, err
	}
	p.AtRoot, p.layers = true, f.Layers
	p.add = func(s *coldfs.Store, _ Needs) (*coldfs.Package, error) {
		digest, err := p.Digest()
		if err != nil {
			return nil, err
		}
		return s.Add(coldfs.Digest("layers", digest), func(dir string) error {
			if err := coldfs.Unpack(p.Path, filepath.Join(dir, sandbox.TaskRoot)); err != nil {
				return err
			}
			for _, layer := range p.layers {
				if err := coldfs.Unpack(layer, filepath.Join(dir, sandbox.LayerRoot)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return p, nil
}
