package builder

import (
	"bytes"
	"cmp"
	"crypto/sha256"
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
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/twinstart/twinstart/packages/archive"
)

// Store keeps images between build, tag and push, and the logins. It is a folder that only the user can read:
//
//	blobs/sha256/   layers, configurations and manifests, named by their content
//	names/          a folder for each name of an image: an OCI image layout with a link to the blobs above
//	logins/         see Login
//
// Files are renamed into place when they are complete. So any number of processes may use a store, and a killed
// process leaves nothing incomplete. Images that were not used for 30 days are removed; they can be built or pulled
// again. See https://github.com/opencontainers/image-spec/blob/main/image-layout.md.
type Store struct{ dir string }

const unused = 30 * 24 * time.Hour

// EnvDir is the environment variable that sets the store's folder.
const EnvDir = "TWINSTART_IMAGES"

// OpenStore opens the store in a folder and makes it if it is missing. "" means $TWINSTART_IMAGES, or else images/ in
// the cache (archive.Cache).
func OpenStore(dir string) (*Store, error) {
	if dir = cmp.Or(dir, os.Getenv(EnvDir)); dir == "" {
		var err error
		if dir, err = archive.Cache("images"); err != nil {
			return nil, err
		}
	}
	s := &Store{dir}
	for _, folder := range []string{s.blobs(), s.names(), s.logins()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("opening the image store: %w: set %s to a folder that can be written", err, EnvDir)
		}
	}
	return s, nil
}

func (s *Store) blobs() string  { return filepath.Join(s.dir, "blobs", "sha256") }
func (s *Store) names() string  { return filepath.Join(s.dir, "names") }
func (s *Store) logins() string { return filepath.Join(s.dir, "logins") }

func (s *Store) blob(digest v1.Hash) string { return filepath.Join(s.blobs(), digest.Hex) }

// Prune removes the images that were not used for 30 days.
func (s *Store) Prune() error {
	return errors.Join(archive.Sweep(s.names(), unused), archive.Sweep(s.blobs(), unused))
}

// ErrNoImage means that the store does not have an image.
var ErrNoImage = errors.New("no such image")

// parseTag parses an image's name as Docker does: "app" is docker.io/library/app:latest.
func parseTag(s string) (name.Tag, error) {
	tag, err := name.NewTag(s)
	if err != nil {
		return tag, fmt.Errorf("image name %q: %w", s, err)
	}
	return tag, nil
}

// Image returns the image with a name. If there is no such image, the error is ErrNoImage.
func (s *Store) Image(n string) (v1.Image, error) {
	tag, err := parseTag(n)
	if err != nil {
		return nil, err
	}
	img, err := s.image(tag.Name())
	if errors.Is(err, ErrNoImage) {
		err = fmt.Errorf("%w: %s: build it first", ErrNoImage, n)
	}
	return img, err
}

// Tag gives an image another name.
func (s *Store) Tag(source, target string) error {
	tag, err := parseTag(target)
	if err != nil {
		return err
	}
	img, err := s.Image(source)
	if err != nil {
		return err
	}
	d, err := partial.Descriptor(img)
	if err != nil {
		return err
	}
	return s.name(tag.Name(), *d)
}

// refName is the annotation with an image's name in an OCI layout.
const refName = "org.opencontainers.image.ref.name"

func (s *Store) named(n string) string {
	return filepath.Join(s.names(), fmt.Sprintf("%x", sha256.Sum256([]byte(n))))
}

// name gives an image a name. If another image has it, that image loses it.
func (s *Store) name(n string, d v1.Descriptor) error {
	d.Annotations = map[string]string{refName: n}
	only := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{d}}
	text, err := json.Marshal(only)
	if err != nil {
		return err
	}
	dir := s.named(n)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Symlink("../../blobs", filepath.Join(dir, "blobs")); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return archive.ReplaceFile(filepath.Join(dir, "index.json"), 0o600, text)
}

// image returns the image with a name, and marks it as used. If the image's blobs were removed, the image counts as
// missing, so that it is built again.
func (s *Store) image(n string) (v1.Image, error) {
	dir := s.named(n)
	index, err := layout.ImageIndexFromPath(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoImage
	}
	var img v1.Image
	if err == nil {
		img, err = index.Image(v1.Hash{}) // the only one
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w: remove %s; everything in it can be built again", dir, err, s.dir)
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil, ErrNoImage
	}
	digest, err := img.Digest()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for _, d := range slices.Concat(manifest.Layers, []v1.Descriptor{manifest.Config, {Digest: digest}}) {
		if err := os.Chtimes(s.blob(d.Digest), now, now); err != nil {
			return nil, ErrNoImage
		}
	}
	return img, os.Chtimes(dir, now, now)
}

// Names lists the names of all images, as Docker shows them: without docker.io/library.
func (s *Store) Names() (names []string, err error) {
	dirs, err := os.ReadDir(s.names())
	for _, dir := range dirs {
		index, err := layout.ImageIndexFromPath(filepath.Join(s.names(), dir.Name()))
		if err != nil {
			continue // another process is making it
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			return nil, err
		}
		for _, d := range manifest.Manifests {
			if tag, err := name.NewTag(d.Annotations[refName]); err == nil { // else it is a base
				names = append(names, strings.TrimPrefix(strings.TrimPrefix(tag.Name(), "index.docker.io/"), "library/"))
			}
		}
	}
	return names, err
}

// write stores content that is in memory: manifests and configurations.
func (s *Store) write(media types.MediaType, content []byte) (d v1.Descriptor, err error) {
	d = v1.Descriptor{MediaType: media, Size: int64(len(content))}
	if d.Digest, _, err = v1.SHA256(bytes.NewReader(content)); err != nil {
		return d, err
	}
	return d, archive.ReplaceFile(s.blob(d.Digest), 0o600, content)
}
