package builder

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/patternmatcher"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// image is an image that is being built: the base and what the Dockerfile adds.
type image struct {
	base   *base
	layers []Layer
	config v1.ConfigFile
}

// defaultPath is the PATH that BuildKit sets if a base sets none. Lambda sets its own PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// newImage starts with the base's configuration and the settings of the Dockerfile, which include the base's.
func newImage(b *base, said *dockerfile.Image) *image {
	config := *b.config.DeepCopy()
	config.Created, config.Container, config.Author, config.Config = v1.Time{Time: archive.Epoch}, "", said.Author, said.Config
	c := &config.Config
	c.Image, c.Hostname, c.Domainname, c.WorkingDir = "", "", "", cmp.Or(c.WorkingDir, "/")
	return &image{base: b, layers: slices.Clone(b.layers), config: config}
}

func (i *image) add(l Layer) {
	i.layers = append(i.layers, l)
	i.config.RootFS.Type = "layers"
	i.config.RootFS.DiffIDs = append(i.config.RootFS.DiffIDs, l.DiffID)
	i.config.History = append(i.config.History, v1.History{
		Created: v1.Time{Time: archive.Epoch}, CreatedBy: l.Instruction + " # twinstart",
	})
}

// write stores configuration and manifest, and returns the image's descriptor.
func (i *image) write(s *Store) (v1.Descriptor, error) {
	if i.config.RootFS.DiffIDs == nil {
		i.config.RootFS = v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}}
	}
	config, err := writeJSON(s, types.DockerConfigJSON, i.config)
	if err != nil {
		return v1.Descriptor{}, err
	}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2, Config: config, Layers: []v1.Descriptor{}}
	for _, l := range i.layers {
		manifest.Layers = append(manifest.Layers, v1.Descriptor{MediaType: types.DockerLayer, Size: l.Size, Digest: l.Digest})
	}
	d, err := writeJSON(s, manifest.MediaType, manifest)
	if err != nil {
		return v1.Descriptor{}, err
	}
	d.Platform = &v1.Platform{OS: i.config.OS, Architecture: i.config.Architecture}
	if i.base.name != "" {
		d.Annotations = map[string]string{annotationBase: i.base.name, annotationBaseDigest: i.base.digest.String()}
	}
	return d, nil
}

func writeJSON(s *Store, media types.MediaType, value any) (v1.Descriptor, error) {
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
	return fmt.Sprintf("base image %s is not for %s: it offers %s; name an image of that platform, or build for one that it has",
		e.Image, text(e.Want), strings.Join(e.Offers, ", "))
}

// ParsePlatform parses "linux/arm64" or "linux/amd64", in any spelling that Docker accepts. Lambda supports no
// other platform. An empty string means this machine's architecture.
func ParsePlatform(s string) (v1.Platform, error) {
	architecture := runtime.GOARCH
	if s != "" {
		os, rest, found := strings.Cut(strings.ToLower(s), "/")
		if architecture = rest; !found || os != "linux" {
			architecture = ""
		}
	}
	switch architecture {
	case "arm64", "arm64/v8", "aarch64":
		return v1.Platform{OS: "linux", Architecture: "arm64"}, nil
	case "amd64", "x86_64", "x86-64":
		return v1.Platform{OS: "linux", Architecture: "amd64"}, nil
	}
	return v1.Platform{}, fmt.Errorf("platform %q: Lambda runs linux/arm64 and linux/amd64 only", s)
}

// text returns the platform without its variant, which makes no difference on these two architectures.
func text(p v1.Platform) string { return p.OS + "/" + p.Architecture }

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
	b := build{file: d.file, context: from, others: map[any]*tree{}}
	return b.steps(d.Image, image, func(instruction string, made changes) error {
		in, out := io.Pipe()
		defer in.Close()
		go func() { out.CloseWithError(writeTar(out, made)) }()
		if err := archive.Untar(in, dir); err != nil {
			return fmt.Errorf("laying out %s: %s: %w", d.file, instruction, err)
		}
		return nil
	})
}
