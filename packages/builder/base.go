package builder

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// base gets the image in a FROM instruction. of is the platform there; "" means the build's.
func (b *build) base(from, of string) (img v1.Image, err error) {
	key, platform := [2]string{from, of}, b.platform
	if of != "" {
		if platform, err = ParsePlatform(of); err != nil {
			return nil, &dockerfile.Error{File: b.file, Msg: "FROM --platform: " + err.Error()}
		}
	}
	if img = b.bases[key]; img != nil {
		return img, nil
	}
	if from == dockerfile.Scratch {
		img, err = mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: platform.OS, Architecture: platform.Architecture})
	} else {
		ref, refErr := name.ParseReference(from)
		if refErr != nil {
			return nil, &dockerfile.Error{File: b.file, Msg: fmt.Sprintf("FROM %s: %v", from, refErr)}
		}
		img, err = b.pull(b.ctx, ref, from, platform)
	}
	b.bases[key] = img
	return img, err
}

// settings returns a base's configuration for the Dockerfile that builds on it.
func (b *build) settings(from, of string) (*v1.Config, error) {
	base, err := b.base(from, of)
	if err != nil {
		return nil, err
	}
	whole, err := base.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of base image %s: %w", from, err)
	}
	config := whole.Config.DeepCopy()
	if len(config.OnBuild) > 0 {
		return nil, &dockerfile.Error{File: b.file, Msg: "FROM " + from + " needs Docker for ONBUILD " + config.OnBuild[0]}
	}
	if !slices.ContainsFunc(config.Env, func(s string) bool { return strings.HasPrefix(s, "PATH=") }) {
		config.Env = append([]string{"PATH=" + defaultPath}, config.Env...)
	}
	return config, nil
}

// pull puts a base into the store, unless it is there. If the registry does not answer, pull uses the image that it has
// pulled earlier under that name.
func (b *Builder) pull(ctx context.Context, ref name.Reference, from string, platform v1.Platform) (v1.Image, error) {
	name := "base " + ref.Name() + " " + text(platform) // no image has such a name
	img, err := b.resolve(ctx, ref, from, platform)
	if err == nil {
		err = b.keep(ctx, name, from, img)
	}
	if errors.As(err, new(*PlatformError)) || ctx.Err() != nil {
		return nil, err
	}
	known, knownErr := b.Store.image(name)
	if err != nil {
		err = &RegistryError{"getting base image " + from, err}
		if knownErr != nil {
			return nil, err
		}
		b.note(fmt.Sprintf("%v: using the image as pulled earlier", err), 0)
	}
	return known, knownErr
}

// resolve finds the image for a platform. The reference may name an image, or a list with an image for each platform.
func (b *Builder) resolve(ctx context.Context, ref name.Reference, from string, want v1.Platform) (v1.Image, error) {
	d, err := remote.Get(ref, b.remoteOptions(ctx, ref.Context().Registry)...)
	if err != nil {
		return nil, err
	}
	wrong := &PlatformError{Image: from, Want: want}
	if d.MediaType.IsImage() {
		img, err := d.Image()
		if err != nil {
			return nil, err
		}
		config, err := img.ConfigFile()
		if err != nil {
			return nil, err
		}
		if is := text(*config.Platform()); is != text(want) {
			wrong.Offers = []string{is}
			return nil, wrong
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
	for _, m := range manifest.Manifests {
		switch {
		case !m.MediaType.IsImage() || m.Platform == nil || m.Platform.OS == "unknown": // an attestation
		case text(*m.Platform) == text(want):
			return index.Image(m.Digest)
		default:
			wrong.Offers = append(wrong.Offers, text(*m.Platform))
		}
	}
	return nil, wrong
}

// keep puts a base into the store, unchanged. Only one process at a time does so, because several builds often want the
// same base.
func (b *Builder) keep(ctx context.Context, name, from string, img v1.Image) error {
	lock := flock.New(filepath.Join(b.Store.dir, "lock"), flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("waiting for another process that pulls: %w", err)
	}
	defer lock.Close()
	d, err := partial.Descriptor(img)
	if err != nil {
		return err
	}
	if known, err := b.Store.image(name); err == nil {
		if digest, err := known.Digest(); err == nil && digest == d.Digest {
			return nil
		}
	}
	config, err1 := img.RawConfigFile()
	raw, err2 := img.RawManifest()
	manifest, err3 := img.Manifest()
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	var bytes int64
	for _, l := range manifest.Layers {
		if l.MediaType != types.DockerLayer && l.MediaType != types.OCILayer {
			return fmt.Errorf("a layer has the type %s, and Lambda may read gzip layers only: choose another base", l.MediaType)
		}
		bytes += l.Size
	}
	for _, content := range [][]byte{config, raw} {
		if _, err := b.Store.write("", content); err != nil {
			return err
		}
	}
	what, backoff := "pulling "+from, b.retry()
	b.note(what, bytes)
	for {
		err := layout.Path(b.Store.dir).WriteImage(img) // it renames each layer when the layer is complete
		if err == nil {
			return b.Store.name(name, *d)
		}
		if ctx.Err() != nil || backoff.Steps <= 1 {
			return err
		}
		wait := backoff.Step()
		why := list.OneLine(withoutQueries(err.Error()))
		b.note(fmt.Sprintf("%s: %s: trying again in %s", what, why, wait.Round(100*time.Millisecond)), 0)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// short returns the start of a digest, enough for a person to tell layers apart.
func short(h v1.Hash) string { return h.Hex[:min(12, len(h.Hex))] }

// from returns the files that COPY copies from: those of the context, of an image, or of a stage. For a stage, it
// applies the stage's steps to the files of its base.
func (b *build) from(c dockerfile.Copy) (t tree, err error) {
	if c.From == "" {
		return b.context, nil
	}
	stage, key := c.Stage, any(c.Stage)
	if stage == nil {
		stage, key = &dockerfile.Image{From: c.From}, c.From
	}
	if b.others[key] != nil {
		return b.others[key], nil
	}
	if t = newTree(); stage.From != dockerfile.Scratch {
		if t, err = b.unpack(stage.From, stage.Platform); err != nil {
			return nil, fmt.Errorf("%s:%d: COPY --from=%s: %w", b.file, c.Line, stage.From, err)
		}
	}
	b.others[key] = t
	return t, b.steps(stage, t, func(string, tree) error { return nil })
}

// unpack returns the files of an image. Their content is stored in files with numbers as names, so that the names in
// the image cannot lead anywhere.
func (b *build) unpack(name, platform string) (tree, error) {
	if b.Builder == nil {
		return nil, errors.New("images are not pulled for a layout: build this image, and name its tarball or reference")
	}
	other, err := b.base(name, platform)
	if err != nil {
		return nil, err
	}
	left := int64(arm.MaxImage)
	return readImage(other, func(h *tar.Header, content io.Reader) (*node, error) {
		if h.Typeflag != tar.TypeReg {
			return &node{}, nil // a device
		}
		if left -= h.Size; left < 0 {
			return nil, fmt.Errorf("it unpacks to more than %d GB, Lambda's limit: take a smaller image", arm.MaxImage>>30)
		}
		b.unpacked++
		f, err := os.Create(filepath.Join(b.dir, strconv.Itoa(b.unpacked)))
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(f, content)
		return &node{mode: h.Mode & 0o7777, source: f.Name(), size: h.Size}, errors.Join(err, f.Close())
	})
}
