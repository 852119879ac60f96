package builder

import (
	"archive/tar"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/patternmatcher"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// defaultPath is the PATH that BuildKit sets if a base sets none. Lambda sets its own PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// image writes the layers that a Dockerfile adds to its base, a configuration and a manifest, and names the image.
func (b *build) image(said *dockerfile.Image, names []string) (*Result, error) {
	base, err := b.base(said.From, said.Platform)
	if err != nil {
		return nil, err
	}
	root, err := readImage(base, func(*tar.Header, io.Reader) (*node, error) { return &node{}, nil })
	inherited, err1 := base.Manifest()
	config, err2 := base.ConfigFile()
	digest, err3 := base.Digest()
	if err := errors.Join(err, err1, err2, err3); err != nil {
		return nil, fmt.Errorf("reading base image %s: %w", said.From, err)
	}
	if len(config.RootFS.DiffIDs) != len(inherited.Layers) {
		return nil, fmt.Errorf("base image %s is broken: %d layers, but %d in its configuration",
			said.From, len(inherited.Layers), len(config.RootFS.DiffIDs))
	}
	out := &Result{Platform: v1.Platform{OS: config.OS, Architecture: config.Architecture}, Layers: []v1.Descriptor{}}
	if said.From != dockerfile.Scratch {
		if ref, err := name.ParseReference(said.From); err == nil {
			out.Base = ref.Context().Digest(digest.String()).Name()
		}
	}
	for _, l := range inherited.Layers {
		out.Layers = append(out.Layers, v1.Descriptor{MediaType: types.DockerLayer, Size: l.Size, Digest: l.Digest})
	}
	config = config.DeepCopy()
	config.Created, config.Container, config.Author, config.Config = v1.Time{Time: archive.Epoch}, "", "", said.Config
	config.RootFS = v1.RootFS{Type: "layers", DiffIDs: append([]v1.Hash{}, config.RootFS.DiffIDs...)}
	c := &config.Config
	c.Image, c.Hostname, c.Domainname, c.WorkingDir = "", "", "", cmp.Or(c.WorkingDir, "/")
	err = b.steps(said, root, func(instruction string, added tree) error {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		b.note(instruction, added.bytes())
		layer, diffID, err := b.Store.writeLayer(added)
		if err != nil {
			return fmt.Errorf("writing the layer of %q: %w", instruction, err)
		}
		out.Layers = append(out.Layers, layer)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, diffID)
		made := v1.History{Created: config.Created, CreatedBy: instruction + " # twinstart"}
		config.History = append(config.History, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2, Layers: out.Layers}
	if manifest.Config, err = b.Store.writeJSON(types.DockerConfigJSON, config); err != nil {
		return nil, err
	}
	d, err := b.Store.writeJSON(manifest.MediaType, manifest)
	if err != nil {
		return nil, err
	}
	out.Digest = d.Digest
	for _, n := range names {
		if err := b.Store.name(n, d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) writeJSON(media types.MediaType, value any) (v1.Descriptor, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return s.write(media, text)
}

// PlatformError says that an image does not have the wanted platform.
type PlatformError struct {
	Image  string
	Want   v1.Platform
	Offers []string // "linux/amd64", ...
}

func (e *PlatformError) Error() string {
	return fmt.Sprintf("base image %s is not for %s: it offers %s; choose one of these, or another image",
		e.Image, text(e.Want), strings.Join(e.Offers, ", "))
}

// ParsePlatform parses "linux/arm64" or "linux/amd64", with or without a variant. Lambda supports no other platform.
// An empty string means this machine's architecture.
func ParsePlatform(s string) (v1.Platform, error) {
	p, err := v1.ParsePlatform(cmp.Or(s, "linux/"+runtime.GOARCH))
	if err != nil || p.OS != "linux" || p.Architecture != "arm64" && p.Architecture != "amd64" {
		return v1.Platform{}, fmt.Errorf("platform %q: Lambda runs linux/arm64 and linux/amd64 only", s)
	}
	return v1.Platform{OS: p.OS, Architecture: p.Architecture}, nil
}

// text returns the platform without its variant, which makes no difference on these two architectures.
func text(p v1.Platform) string { return p.OS + "/" + p.Architecture }

// Definition is an image that a Dockerfile and its context define. LayOut writes its files by the same steps by which
// Build makes its layers.
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
	said, err := dockerfile.Parse(file, dockerfile.Options{Platform: "linux/" + runtime.GOARCH})
	if err != nil {
		return nil, err
	}
	return &Definition{Image: said, dir: dir, file: file}, nil
}

// Scratch reports whether the image has no base.
func (d *Definition) Scratch() bool { return d.From == dockerfile.Scratch }

// Within reports whether everything that the image adds to its base is below a folder.
func (d *Definition) Within(dir string) bool {
	outside := func(c dockerfile.Copy) bool { return !strings.HasPrefix(path.Clean(c.Dest)+"/", dir+"/") }
	return !slices.ContainsFunc(d.Copies, outside)
}

// LayOut writes the files that the image adds to its base into the folder dir. If dir already has files and folders of
// the base, it adds to them. The caller owns all files. No link in the image can lead out of dir.
func (d *Definition) LayOut(dir string) error {
	from, err := readContext(d.dir, d.file)
	if err != nil {
		return err
	}
	image, err := readTree(dir, &patternmatcher.PatternMatcher{})
	if err != nil {
		return fmt.Errorf("laying out %s: %w", d.file, err)
	}
	b := build{file: d.file, context: from, others: map[any]tree{}}
	return b.steps(d.Image, image, func(instruction string, made tree) error {
		in, out := io.Pipe()
		defer in.Close()
		go func() { out.CloseWithError(writeTar(out, made)) }()
		if err := archive.Untar(in, dir); err != nil {
			return fmt.Errorf("laying out %s: %s: %w", d.file, instruction, err)
		}
		return nil
	})
}
