package builder

import (
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Definition is an image as its Dockerfile and context define it, to be laid out as a root file system. Build makes
// layers by the same steps.
type Definition struct {
	*dockerfile.Image
	dir, file string
}

// Define reads the Dockerfile of a context folder. It knows the settings of Lambda's own bases only.
func Define(dir, name string) (*Definition, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("reading an image: its Dockerfile %q lies outside of %s", name, dir)
	}
	file := filepath.Join(dir, name)
	said, err := dockerfile.Parse(file, dockerfile.Options{Platform: text(hostPlatform)})
	if err != nil {
		return nil, err
	}
	return &Definition{Image: said, dir: dir, file: file}, nil
}

// hostPlatform is this machine's platform.
var hostPlatform, _ = ParsePlatform("")

// Scratch reports whether the image has no base.
func (d *Definition) Scratch() bool { return d.From == dockerfile.Scratch }

// Within reports whether everything that the image adds to its base is below a folder.
func (d *Definition) Within(dir string) bool {
	below := func(p string) bool { return strings.HasPrefix(path.Clean(p)+"/", dir+"/") }
	return !slices.ContainsFunc(d.Folders, func(f dockerfile.Folder) bool { return !below(f.Path) }) &&
		!slices.ContainsFunc(d.Copies, func(c dockerfile.Copy) bool { return !below(c.Dest) })
}

// LayOut writes into the folder dir what the image adds to its base. If dir already contains folders of the base,
// files are copied into them. The caller owns all files. No link in the image can lead out of dir.
func (d *Definition) LayOut(dir string) error {
	from, err := readContext(d.dir, d.file)
	if err != nil {
		return err
	}
	image, err := readTree(dir, &patternmatcher.PatternMatcher{})
	if err != nil {
		return fmt.Errorf("laying out %s: %w", d.file, err)
	}
	unpack := func(string, string) (*tree, error) {
		return nil, errors.New("images are not pulled for a layout: build the image, and give its tarball or its reference")
	}
	return steps(d.Image, d.file, image, from, others(d.file, from, unpack), func(instruction string, made changes) error {
		in, out := io.Pipe()
		defer in.Close()
		go func() { out.CloseWithError(writeTar(out, made, func(int64) {})) }()
		if err := archive.Untar(in, dir); err != nil {
			return fmt.Errorf("laying out %s: %s: %w", d.file, instruction, err)
		}
		return nil
	})
}
