package builder

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

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
	d, err := s.find(n)
	if err != nil {
		return nil, err
	}
	tag, err := name.NewTag(n)
	if err != nil {
		return nil, err
	}
	return s.describe(*d, tag)
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

func (s *Store) describe(d v1.Descriptor, tag name.Tag) (*Image, error) {
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
