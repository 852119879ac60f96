// Package builder builds container images and pushes them without a Docker daemon: it lays files into layers, nothing runs.
//
//	Dockerfile + context --Build--> Store (an OCI layout, tags) --Push--> registry
//
// The same context gives the same digest, byte for byte, on any machine: times, owners and modes are fixed, entries sorted, the
// compressor pinned. What a Dockerfile may say is packages/dockerfile's matter; COPY means what BuildKit makes of it, or is refused.
// Images are Docker image manifests, version 2, schema 2, with gzip layers, which Lambda has accepted from the first day.
// See https://docs.aws.amazon.com/lambda/latest/dg/images-create.html.
package builder

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Builder holds what builds and pushes have in common. Its methods are safe for concurrent use, by several processes too.
type Builder struct {
	Store    *Store
	Keychain authn.Keychain // nil: anonymous
	Progress Progress       // nil: silent
	Retry    remote.Backoff // of what a network breaks; zero: DefaultRetry
	Idle     time.Duration  // after which a silent connection is broken; zero: two minutes
}

// DefaultRetry waits 0.5, 1.5, 4.5 and 13.5 seconds.
var DefaultRetry = remote.Backoff{Duration: 500 * time.Millisecond, Factor: 3, Jitter: 0.1, Steps: 5}

// Options are one build.
type Options struct {
	Context    string            // folder whose files COPY sees
	Dockerfile string            // "": Dockerfile in the context
	Platform   string            // "linux/arm64" or "linux/amd64"; "": this machine's
	Args       map[string]string // build arguments by name
	Tags       []string          // names that the image gets in the store; none: only its digest is known
}

// Result is an image in the store.
type Result struct {
	Digest   v1.Hash // of the manifest: what a registry and Lambda call it
	Platform v1.Platform
	Base     string  // reference with digest; "" for scratch
	Layers   []Layer // the base's first
}

// Size is what a registry stores for the layers: bytes, compressed.
func (r Result) Size() int64 {
	var sum int64
	for _, l := range r.Layers {
		sum += l.Size
	}
	return sum
}

// Build makes an image of a Dockerfile and its context. Nothing is tagged unless all of it succeeds. What the Dockerfile gets wrong
// is a *dockerfile.Error, a platform that the base does not have a *PlatformError.
func (b *Builder) Build(ctx context.Context, o Options) (*Result, error) {
	platform, err := ParsePlatform(o.Platform)
	if err != nil {
		return nil, err
	}
	names, err := parseTags(o.Tags)
	if err != nil {
		return nil, err
	}
	if o.Dockerfile == "" {
		o.Dockerfile = filepath.Join(o.Context, "Dockerfile")
	}
	from, err := readContext(o.Context, o.Dockerfile)
	if err != nil {
		return nil, err
	}
	get := b.bases(ctx, o.Dockerfile, platform)
	unused := maps.Clone(o.Args)
	options := dockerfile.Options{Args: o.Args, Platform: text(platform), Declared: func(name string) { delete(unused, name) }}
	options.Base = func(from, of string) (*dockerfile.Config, error) {
		base, err := get(from, of)
		if err != nil {
			return nil, err
		}
		return base.says(o.Dockerfile)
	}
	said, err := dockerfile.Parse(o.Dockerfile, options)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(unused)) { // its value may be a secret
		b.note(fmt.Sprintf("build argument %s is not used by the Dockerfile", name))
	}
	base, err := get(said.From, said.Platform)
	if err != nil {
		return nil, err
	}
	image := newImage(base, said)
	unpack, done := b.unpack(get)
	defer done()
	err = steps(said, o.Dockerfile, base.root, from, others(o.Dockerfile, from, unpack), func(instruction string, made changes) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return b.addLayer(image, instruction, made)
	})
	if err != nil {
		return nil, err
	}
	descriptor, err := image.write(b.Store)
	if err != nil {
		return nil, err
	}
	if err := b.Store.tag(descriptor, names); err != nil {
		return nil, err
	}
	if err := b.Store.Prune(time.Now()); err != nil {
		b.note(fmt.Sprintf("cleaning the image store: %v", err)) // the image is there all the same
	}
	return &Result{Digest: descriptor.Digest, Platform: *descriptor.Platform, Base: base.pinned(), Layers: image.layers}, nil
}

// addLayer writes a layer and says so.
func (b *Builder) addLayer(image *image, instruction string, changes changes) error {
	task := b.start(instruction, changes.bytes())
	layer, err := b.Store.writeLayer(changes, task.Add)
	task.Done(err)
	if err != nil {
		return fmt.Errorf("writing the layer of %q: %w", instruction, err)
	}
	layer.Instruction = instruction
	image.add(layer)
	return nil
}
