package builder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/twinstart/twinstart/packages/archive"
)

// Store keeps images between build, tag and push, and the credentials of login. It is a folder that only the user
// can read:
//
//	layout/             an OCI image layout: oci-layout, index.json, blobs/sha256/; any tool that knows those can read it
//	credentials.json    see Credentials
//	locks/ temporary/   what parallel processes need
//
// Blobs are named by their content and renamed into place when they are complete. index.json is replaced as a
// whole, under a lock. So any number of processes may use a store, and a killed process leaves nothing incomplete.
// See https://github.com/opencontainers/image-spec/blob/main/image-layout.md.
type Store struct{ dir string }

// EnvDir is the environment variable that sets the store's folder.
const EnvDir = "TWINSTART_IMAGES"

// DefaultDir returns $TWINSTART_IMAGES, or else images/ in the cache (archive.Cache).
func DefaultDir() (string, error) {
	if dir := os.Getenv(EnvDir); dir != "" {
		return filepath.Abs(dir)
	}
	return archive.Cache("images")
}

// OpenStore opens the store in a folder and makes it if it is missing.
func OpenStore(dir string) (*Store, error) {
	s := &Store{dir}
	if err := os.MkdirAll(filepath.Join(dir, "layout", "blobs", "sha256"), 0o700); err != nil {
		return nil, fmt.Errorf("opening the image store: %w: set %s to a folder that can be written", err, EnvDir)
	}
	version := filepath.Join(dir, "layout", "oci-layout")
	if _, err := os.Stat(version); errors.Is(err, fs.ErrNotExist) {
		if err := archive.ReplaceFile(version, 0o600, []byte(`{"imageLayoutVersion": "1.0.0"}`+"\n")); err != nil {
			return nil, fmt.Errorf("opening the image store: %w", err)
		}
	}
	return s, nil
}

// refName is the annotation with an image's name in an OCI layout.
const refName = "org.opencontainers.image.ref.name"

// Annotations that name the base of an image. These are OCI's names.
const (
	annotationBase       = "org.opencontainers.image.base.name"
	annotationBaseDigest = "org.opencontainers.image.base.digest"
)

// NoImageError says that the store has no image with this name.
type NoImageError struct{ Name string }

func (e *NoImageError) Error() string { return "no such image: " + e.Name }

// parseTags parses image names as Docker does: "app" is docker.io/library/app:latest.
func parseTags(names ...string) (tags []name.Tag, err error) {
	for _, n := range names {
		tag, err := name.NewTag(n)
		if err != nil {
			return nil, fmt.Errorf("image name %q: %w", n, err)
		}
		tags = append(tags, tag)
	}
	return tags, nil
}

// Tag gives an image another name.
func (s *Store) Tag(source, target string) error {
	tags, err := parseTags(target)
	if err != nil {
		return err
	}
	descriptor, _, err := s.find(source)
	if err != nil {
		return err
	}
	return s.tag(*descriptor, tags)
}

// tag makes names refer to an image. All of them change at once.
func (s *Store) tag(d v1.Descriptor, names []name.Tag) error {
	if len(names) == 0 {
		return nil
	}
	return s.change(func(all []v1.Descriptor) ([]v1.Descriptor, error) {
		for _, n := range names {
			all = named(all, d, refName, n.Name())
		}
		return all, nil
	})
}

// named adds an entry with a name, which any other entry loses.
func named(all []v1.Descriptor, d v1.Descriptor, annotation, name string) []v1.Descriptor {
	d = *d.DeepCopy()
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations[annotation], d.Annotations[annotationNamed] = name, time.Now().UTC().Format(time.RFC3339)
	return append(slices.DeleteFunc(all, func(d v1.Descriptor) bool { return d.Annotations[annotation] == name }), d)
}

// change replaces the entries of the index, under its lock.
func (s *Store) change(change func([]v1.Descriptor) ([]v1.Descriptor, error)) error {
	unlock, err := s.lock("index")
	if err != nil {
		return err
	}
	defer unlock()
	index, err := s.index()
	if err != nil {
		return err
	}
	if index.Manifests, err = change(index.Manifests); err != nil {
		return err
	}
	text, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	return archive.ReplaceFile(filepath.Join(s.dir, "layout", "index.json"), 0o600, text)
}

// index reads the index of a store. A new store has an empty one.
func (s *Store) index() (*v1.IndexManifest, error) {
	empty := &v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	f, err := os.Open(filepath.Join(s.dir, "layout", "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	index, err := v1.ParseIndexManifest(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w: remove %s; everything in it can be built again", f.Name(), err, s.dir)
	}
	return index, nil
}

// find returns the image with a name, and the name. If the image's blobs were removed, the image counts as missing,
// so that it is built again.
func (s *Store) find(n string) (*v1.Descriptor, name.Tag, error) {
	tags, err := parseTags(n)
	if err != nil {
		return nil, name.Tag{}, err
	}
	d, err := s.findBy(n, refName, tags[0].Name())
	return d, tags[0], err
}

func (s *Store) findBy(n, annotation, value string) (*v1.Descriptor, error) {
	index, err := s.index()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Annotations[annotation] == value })
	if i < 0 {
		return nil, &NoImageError{n}
	}
	d := index.Manifests[i]
	manifest, err := s.manifest(d.Digest)
	if err != nil {
		return nil, &NoImageError{n}
	}
	for _, blob := range append(manifest.Layers, manifest.Config) {
		if info, err := os.Stat(s.blob(blob.Digest)); err != nil || info.Size() != blob.Size {
			return nil, &NoImageError{n}
		}
	}
	return &d, nil
}

func (s *Store) layout() layout.Path { return layout.Path(filepath.Join(s.dir, "layout")) }

func (s *Store) manifest(digest v1.Hash) (*v1.Manifest, error) {
	text, err := s.layout().Bytes(digest)
	if err != nil {
		return nil, err
	}
	return v1.ParseManifest(bytes.NewReader(text))
}

func (s *Store) config(of *v1.Manifest) (*v1.ConfigFile, error) {
	text, err := s.layout().Bytes(of.Config.Digest)
	if err != nil {
		return nil, err
	}
	return v1.ParseConfigFile(bytes.NewReader(text))
}

func (s *Store) blob(digest v1.Hash) string {
	return filepath.Join(s.dir, "layout", "blobs", digest.Algorithm, digest.Hex)
}

// write stores content that is in memory: manifests and configurations.
func (s *Store) write(media types.MediaType, content []byte) (d v1.Descriptor, err error) {
	d = v1.Descriptor{MediaType: media, Size: int64(len(content))}
	if d.Digest, _, err = v1.SHA256(bytes.NewReader(content)); err != nil {
		return d, err
	}
	return d, archive.ReplaceFile(s.blob(d.Digest), 0o600, content)
}

// Image is an image in the store under one of its names.
type Image struct {
	Repository, Tag string        // as Docker shows them: without docker.io/library
	Digest          v1.Hash       // of the manifest
	ID              v1.Hash       // digest of the configuration; Docker calls it the image's id
	Size            int64         // bytes, compressed
	Config          v1.ConfigFile // the image's command, platform and so on
}

// Name returns repository and tag.
func (i Image) Name() string { return i.Repository + ":" + i.Tag }

// Image returns the image with a name. If there is no such image, the error is a *NoImageError.
func (s *Store) Image(n string) (*Image, error) {
	d, tag, err := s.find(n)
	if err != nil {
		return nil, err
	}
	manifest, err := s.manifest(d.Digest)
	if err != nil {
		return nil, err
	}
	config, err := s.config(manifest)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of %s: %w", tag, err)
	}
	out := &Image{Tag: tag.TagStr(), Digest: d.Digest, ID: manifest.Config.Digest, Config: *config, Repository: tag.Repository.Name()}
	out.Repository = strings.TrimPrefix(out.Repository, "index.docker.io/")
	out.Repository = strings.TrimPrefix(out.Repository, "library/")
	for _, l := range manifest.Layers {
		out.Size += l.Size
	}
	return out, nil
}

// Images lists all names of a store in the order in which they were given.
func (s *Store) Images() ([]Image, error) {
	index, err := s.index()
	if err != nil {
		return nil, err
	}
	var out []Image
	for _, d := range index.Manifests {
		tag, err := name.NewTag(d.Annotations[refName])
		if err != nil {
			continue // this entry is a base
		}
		image, err := s.Image(tag.Name())
		if IsNoImage(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, *image)
	}
	return out, nil
}
