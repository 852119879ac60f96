package builder

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

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

// newImage starts with the base's configuration and applies the settings of the Dockerfile.
func newImage(b *base, said *dockerfile.Image) *image {
	config := *b.config.DeepCopy()
	config.Created = v1.Time{Time: Epoch}
	config.Container = ""
	c := &config.Config
	c.Image, c.Hostname, c.Domainname = "", "", ""
	c.Env = mergeEnv(c.Env, said.Env)
	if said.WorkDir != "" {
		c.WorkingDir = said.WorkDir
	}
	if c.WorkingDir == "" {
		c.WorkingDir = "/"
	}
	if said.Entrypoint != nil {
		c.Entrypoint = said.Entrypoint
		c.Cmd = nil // an ENTRYPOINT removes the base's arguments
	}
	if said.Cmd != nil {
		c.Cmd = said.Cmd
	}
	if said.User != "" {
		c.User = said.User
	}
	for _, label := range said.Labels {
		put(&c.Labels, label.Key, label.Value)
	}
	for _, port := range said.Expose {
		if !strings.Contains(port, "/") {
			port += "/tcp"
		}
		put(&c.ExposedPorts, port, struct{}{})
	}
	for _, volume := range said.Volumes {
		put(&c.Volumes, volume, struct{}{})
	}
	c.StopSignal = cmp.Or(said.StopSignal, c.StopSignal)
	config.Author = said.Author
	return &image{base: b, layers: slices.Clone(b.layers), config: config}
}

// put sets a key of a map, which it makes if there is none.
func put[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = value
}

// mergeEnv sets variables. An existing variable keeps its place, and a new one is appended.
func mergeEnv(env []string, set []dockerfile.KV) []string {
	env = slices.Clone(env)
	assign := func(key, value string) {
		is := func(s string) bool { return strings.HasPrefix(s, key+"=") }
		if i := slices.IndexFunc(env, is); i >= 0 {
			env[i] = key + "=" + value
			return
		}
		env = append(env, key+"="+value)
	}
	if !slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, "PATH=") }) {
		env = append([]string{"PATH=" + defaultPath}, env...)
	}
	for _, kv := range set {
		assign(kv.Key, kv.Value)
	}
	return env
}

func (i *image) add(l Layer) {
	i.layers = append(i.layers, l)
	i.config.RootFS.Type = "layers"
	i.config.RootFS.DiffIDs = append(i.config.RootFS.DiffIDs, l.DiffID)
	i.config.History = append(i.config.History, v1.History{
		Created: v1.Time{Time: Epoch}, CreatedBy: l.Instruction + " # twinstart",
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
