// Package builder builds container images and pushes them without a Docker daemon. It puts files into layers and
// runs nothing.
//
//	Dockerfile + context --Build--> Store (an OCI layout, tags) --Push--> registry
//
// The same context gives the same digest on any machine: times, owners and modes are fixed, entries are sorted, and
// the compressor's version is pinned. packages/dockerfile decides what a Dockerfile may contain. COPY does what
// BuildKit does, or is refused. Images have Docker manifests, version 2, schema 2, with gzip layers, which Lambda has
// always accepted. See https://docs.aws.amazon.com/lambda/latest/dg/images-create.html.
package builder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Builder holds what builds and pushes share. Its methods are safe for concurrent use, also by several processes.
type Builder struct {
	Store    *Store
	Keychain authn.Keychain // nil means anonymous
	// Progress receives a line about each step, without a newline. bytes is the size of a layer that is about to be
	// written, pulled or pushed, or 0. Progress may be nil. Several goroutines call it.
	Progress func(line string, bytes int64)
	Retry    remote.Backoff // after network errors; zero means waits of 0.5, 1.5, 4.5 and 13.5 seconds
	Idle     time.Duration  // how long to wait for a registry's answer; zero means two minutes
}

func (b *Builder) note(line string, bytes int64) {
	if b.Progress != nil {
		b.Progress(line, bytes)
	}
}

// Options of one build.
type Options struct {
	Context    string            // folder with the files that COPY copies
	Dockerfile string            // "" means Dockerfile in the context
	Platform   string            // "linux/arm64" or "linux/amd64"; "" means this machine's
	Args       map[string]string // build arguments by name
	Tags       []string          // names of the image in the store; there may be none
}

// Result is an image in the store.
type Result struct {
	Digest   v1.Hash // of the manifest: the image's name in a registry and on Lambda
	Platform v1.Platform
	Base     string          // reference with digest; "" for scratch
	Layers   []v1.Descriptor // the base's come first, then one for each instruction that adds something
}

// Size returns the size of the layers in a registry: compressed, in bytes.
func (r Result) Size() (sum int64) {
	for _, l := range r.Layers {
		sum += l.Size
	}
	return sum
}

// Build makes an image from a Dockerfile and its context. It tags nothing unless everything succeeds. An error in
// the Dockerfile is a *dockerfile.Error; if the base does not have the platform, the error is a *PlatformError.
func (b *Builder) Build(ctx context.Context, o Options) (*Result, error) {
	platform, err := ParsePlatform(o.Platform)
	if err != nil {
		return nil, err
	}
	var tags []string
	for _, tag := range o.Tags {
		parsed, err := parseTag(tag)
		if err != nil {
			return nil, err
		}
		tags = append(tags, parsed.Name())
	}
	if o.Dockerfile == "" {
		o.Dockerfile = filepath.Join(o.Context, "Dockerfile")
	}
	dir, err := os.MkdirTemp(b.Store.blobs(), ".tmp-")
	if err != nil {
		return nil, fmt.Errorf("building an image: %w", err)
	}
	defer os.RemoveAll(dir)
	this := build{Builder: b, ctx: ctx, file: o.Dockerfile, platform: platform, dir: dir,
		bases: map[[2]string]v1.Image{}, others: map[any]tree{}}
	if this.context, err = readContext(o.Context, o.Dockerfile); err != nil {
		return nil, err
	}
	read := dockerfile.Options{Args: o.Args, Platform: text(platform), Base: this.settings}
	said, err := dockerfile.Parse(o.Dockerfile, read)
	if err != nil {
		return nil, err
	}
	out, err := this.image(said, tags)
	if err != nil {
		return nil, err
	}
	if err := b.Store.Prune(); err != nil {
		b.note(fmt.Sprintf("cleaning the image store: %v", err), 0) // the image was built nevertheless
	}
	return out, nil
}

// build is one build of an image, or its layout.
type build struct {
	*Builder // nil for a layout, which pulls no images
	ctx      context.Context
	file     string // the Dockerfile, for errors
	platform v1.Platform
	context  tree
	dir      string                 // for the files of images in COPY --from
	unpacked int                    // number of those files
	bases    map[[2]string]v1.Image // by the image and the platform in FROM
	others   map[any]tree           // files that COPY --from copies, by stage or image
}
