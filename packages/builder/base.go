package builder

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// base is the image on which another image is built.
type base struct {
	name   string // as written after FROM; "" for scratch
	digest v1.Hash
	config *v1.ConfigFile
	layers []Layer
	root   *tree // the names in its file system
}

// pinned returns the base's reference with its digest.
func (b *base) pinned() string {
	if b.name == "" {
		return ""
	}
	ref, err := name.ParseReference(b.name)
	if err != nil {
		return b.name
	}
	return ref.Context().Digest(b.digest.String()).Name()
}

// base gets what FROM names, and puts its layers into the store. of is the platform that FROM names; "" is the build's.
func (b *build) base(from, of string) (got *base, err error) {
	key, platform := [2]string{from, of}, b.platform
	if of != "" {
		if platform, err = ParsePlatform(of); err != nil {
			return nil, &dockerfile.Error{File: b.file, Msg: "FROM --platform: " + err.Error()}
		}
	}
	if got = b.bases[key]; got != nil {
		return got, nil
	}
	if from == dockerfile.Scratch {
		got = &base{config: &v1.ConfigFile{OS: platform.OS, Architecture: platform.Architecture}}
	} else {
		ref, err := name.ParseReference(from)
		if err != nil {
			return nil, &dockerfile.Error{File: b.file, Msg: fmt.Sprintf("FROM %s: %v", from, err)}
		}
		if got, err = b.pull(b.ctx, ref, from, platform); err != nil {
			return nil, err
		}
	}
	got.root = newTree()
	for _, l := range got.layers {
		name := func(*tar.Header, io.Reader) (*node, error) { return &node{kind: file}, nil }
		if err := b.Store.readLayer(got.root, l.Digest, name); err != nil {
			return nil, fmt.Errorf("reading layer %s of %s: %w", l.Digest, from, err)
		}
	}
	b.bases[key] = got
	return got, nil
}

// settings returns a base's configuration for the Dockerfile that builds on it.
func (b *build) settings(from, of string) (*v1.Config, error) {
	base, err := b.base(from, of)
	if err != nil {
		return nil, err
	}
	config := base.config.Config.DeepCopy()
	if len(config.OnBuild) > 0 {
		return nil, &dockerfile.Error{File: b.file, Msg: fmt.Sprintf("FROM %s needs Docker: it has ONBUILD %s", from, config.OnBuild[0])}
	}
	if !slices.ContainsFunc(config.Env, func(s string) bool { return strings.HasPrefix(s, "PATH=") }) {
		config.Env = append([]string{"PATH=" + defaultPath}, config.Env...)
	}
	return config, nil
}

// pull puts a base's manifest, configuration and layers into the store. If the registry does not answer, pull uses
// what it has pulled earlier under that name.
func (b *Builder) pull(ctx context.Context, ref name.Reference, from string, platform v1.Platform) (*base, error) {
	remembered := "base " + ref.Name() + " " + text(platform)
	img, err := b.resolve(ctx, ref, from, platform)
	if err != nil {
		var wrong *PlatformError
		if errors.As(err, &wrong) || ctx.Err() != nil {
			return nil, err
		}
		err = &RegistryError{"getting base image " + from, err}
		known, knownErr := b.Store.remembered(remembered)
		if knownErr != nil {
			return nil, err
		}
		b.note(fmt.Sprintf("%v: using %s as pulled earlier", err, known.Digest))
		return b.Store.loadBase(from, known.Digest)
	}
	if err := b.pullLayers(ctx, from, img); err != nil {
		return nil, err
	}
	d, err := b.Store.writeBase(img)
	if err != nil {
		return nil, fmt.Errorf("storing base image %s: %w", from, err)
	}
	if err := b.Store.remember(d, remembered); err != nil {
		return nil, err
	}
	return b.Store.loadBase(from, d.Digest)
}

// resolve finds the image for a platform. The reference may name a list or an image.
func (b *Builder) resolve(ctx context.Context, ref name.Reference, from string, want v1.Platform) (v1.Image, error) {
	d, err := remote.Get(ref, b.remoteOptions(ctx, ref.Context().Registry)...)
	if err != nil {
		return nil, err
	}
	if d.MediaType.IsImage() {
		img, err := d.Image()
		if err != nil {
			return nil, err
		}
		config, err := img.ConfigFile()
		if err != nil {
			return nil, err
		}
		if is := (v1.Platform{OS: config.OS, Architecture: config.Architecture}); text(is) != text(want) {
			return nil, &PlatformError{Image: from, Want: want, Offers: []string{text(is)}}
		}
		return img, nil
	}
	index, err := d.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	wrong := &PlatformError{Image: from, Want: want}
	for _, m := range manifest.Manifests {
		if !m.MediaType.IsImage() || m.Platform == nil || m.Platform.OS == "unknown" { // skip attestations
			continue
		}
		if text(*m.Platform) == text(want) {
			return index.Image(m.Digest)
		}
		wrong.Offers = append(wrong.Offers, text(*m.Platform))
	}
	return nil, wrong
}

func (b *Builder) pullLayers(ctx context.Context, from string, img v1.Image) error {
	manifest, err := img.Manifest()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, d := range manifest.Layers {
		group.Go(func() error {
			if err := b.pullLayer(ctx, from, img, d); err != nil {
				return &RegistryError{"getting base image " + from, err}
			}
			return nil
		})
	}
	return group.Wait()
}

// pullLayer puts one layer into the store. It does so once, even if several builds want the layer at the same time.
func (b *Builder) pullLayer(ctx context.Context, from string, img v1.Image, d v1.Descriptor) error {
	if d.MediaType != types.DockerLayer && d.MediaType != types.OCILayer {
		return fmt.Errorf("a layer is of type %s, and only gzip layers are surely read by Lambda: choose another base", d.MediaType)
	}
	unlock, err := b.Store.lockContext(ctx, "pull "+d.Digest.String())
	if err != nil {
		return err
	}
	defer unlock()
	name := b.Store.blob(d.Digest)
	if info, err := os.Stat(name); err == nil && info.Size() == d.Size {
		return os.Chtimes(name, time.Time{}, time.Now()) // so that Prune does not remove it meanwhile
	}
	l, err := img.LayerByDigest(d.Digest)
	if err != nil {
		return err
	}
	b.start("pulling "+from+" "+short(d.Digest), d.Size)
	return b.retry(ctx, "pulling "+short(d.Digest), func() error { return b.Store.writeStream(l.Compressed, d.Digest) })
}

// writeStream stores a blob while it arrives. The reader checks the digest at the end.
func (s *Store) writeStream(open func() (io.ReadCloser, error), digest v1.Hash) error {
	in, err := open()
	if err != nil {
		return &tried{err} // the transport has already tried again
	}
	defer in.Close()
	return archive.Replace(s.blob(digest), 0o600, func(out io.Writer) error {
		_, err := io.Copy(out, in)
		return err
	})
}

// writeBase stores manifest and configuration unchanged.
func (s *Store) writeBase(img v1.Image) (v1.Descriptor, error) {
	config, err1 := img.RawConfigFile()
	manifest, err2 := img.RawManifest()
	media, err3 := img.MediaType()
	if err := errors.Join(err1, err2, err3); err != nil {
		return v1.Descriptor{}, err
	}
	if _, err := s.write("", config); err != nil {
		return v1.Descriptor{}, err
	}
	return s.write(media, manifest)
}

// loadBase reads a base from the store.
func (s *Store) loadBase(from string, digest v1.Hash) (*base, error) {
	manifest, err := s.manifest(digest)
	if err != nil {
		return nil, fmt.Errorf("reading base image %s from the store: %w", from, err)
	}
	config, err := s.config(manifest)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of base image %s: %w", from, err)
	}
	if len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return nil, fmt.Errorf("base image %s is broken: %d layers, but %d in its configuration",
			from, len(manifest.Layers), len(config.RootFS.DiffIDs))
	}
	out := &base{name: from, digest: digest, config: config}
	for i, l := range manifest.Layers {
		out.layers = append(out.layers, Layer{Digest: l.Digest, DiffID: config.RootFS.DiffIDs[i], Size: l.Size})
	}
	return out, nil
}

// short returns the start of a digest, enough for a person to tell layers apart.
func short(h v1.Hash) string { return h.Hex[:min(12, len(h.Hex))] }

// annotationRemembered marks an index entry that is not an image but a base, by reference and platform.
const annotationRemembered = "dev.twinstart.remembered"

// remember keeps a base by name, for use when its registry does not answer.
func (s *Store) remember(d v1.Descriptor, as string) error {
	return s.change(func(all []v1.Descriptor) ([]v1.Descriptor, error) {
		is := func(d v1.Descriptor) bool { return d.Annotations[annotationRemembered] == as }
		if i := slices.IndexFunc(all, is); i >= 0 && all[i].Digest == d.Digest && !older(all[i], time.Now().Add(-keepBlobs)) {
			return all, nil
		}
		return named(all, d, annotationRemembered, as), nil
	})
}

// remembered returns a complete base that is kept by name.
func (s *Store) remembered(as string) (*v1.Descriptor, error) {
	return s.findBy(as, annotationRemembered, as)
}
