package builder

import (
	"fmt"

	"github.com/twinstart/twinstart/packages/dockerfile"
)

// steps applies the WORKDIR and COPY instructions of a Dockerfile, in the order of its lines, to the names of an
// image. made receives what each instruction adds: a layer, or files of a root file system. others finds the files
// that COPY --from names.
func steps(said *dockerfile.Image, file string, image, context *tree, others func(dockerfile.Copy) (*tree, error), made func(instruction string, c changes) error) error {
	folders := said.Folders
	workDir := func(f dockerfile.Folder) error {
		added, err := makeFolder(image, f.Path)
		if err != nil {
			return &dockerfile.Error{File: file, Line: f.Line, Msg: fmt.Sprintf("WORKDIR %s: %v", f.Path, err)}
		}
		if len(added) == 0 {
			return nil // the folder exists, so there is no layer
		}
		return made("WORKDIR "+f.Path, added)
	}
	for _, c := range said.Copies {
		for ; len(folders) > 0 && folders[0].Line < c.Line; folders = folders[1:] { // a COPY to the folder's name copies into it
			if err := workDir(folders[0]); err != nil {
				return err
			}
		}
		from := context
		if c.From != "" {
			var err error
			if from, err = others(c); err != nil {
				return err
			}
		}
		added, err := copyInto(image, from, c)
		if err != nil {
			return &dockerfile.Error{File: file, Line: c.Line, Msg: err.Error()}
		}
		if err := made(copyText(c), added); err != nil {
			return err
		}
	}
	for _, f := range folders {
		if err := workDir(f); err != nil {
			return err
		}
	}
	return nil
}
