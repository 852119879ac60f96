package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// Pushed says what a push did.
type Pushed struct {
	Digest   v1.Hash
	Uploaded int   // number of layers sent
	Bytes    int64 // size of the layers sent
	Existing int   // number of layers that the registry had, or mounted from another of its repositories
}

// Push sends an image of the store to the registry in its name. It sends the manifest last, so a push that fails
// has tagged nothing. If several pushes to one repository share a layer, it is sent once.
func (b *Builder) Push(ctx context.Context, image string) (*Pushed, error) {
	d, tag, err := b.Store.find(image)
	if err != nil {
		return nil, err
	}
	img, err := b.Store.layout().Image(d.Digest)
	if err != nil {
		return nil, fmt.Errorf("reading %s from the store: %w", image, err)
	}
	out, err := b.push(ctx, tag, img, mountable(*d, tag))
	if err != nil {
		return nil, &RegistryError{"pushing " + image, err}
	}
	out.Digest = d.Digest
	return out, nil
}

func (b *Builder) push(ctx context.Context, tag name.Tag, img v1.Image, from name.Reference) (*Pushed, error) {
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}
	pusher, err := remote.NewPusher(b.remoteOptions(ctx, tag.Registry)...)
	if err != nil {
		return nil, err
	}
	var uploaded, bytes atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, l := range layers {
		group.Go(func() error {
			sent, err := b.pushLayer(groupCtx, pusher, tag.Repository, l, from)
			if sent > 0 {
				uploaded.Add(1)
				bytes.Add(sent)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := pusher.Push(ctx, tag, img); err != nil {
		return nil, err
	}
	n := int(uploaded.Load())
	return &Pushed{Uploaded: n, Bytes: bytes.Load(), Existing: len(layers) - n}, nil
}

// pushLayer sends a layer if the registry does not have it, and returns the number of bytes sent.
func (b *Builder) pushLayer(ctx context.Context, p *remote.Pusher, to name.Repository, l v1.Layer, from name.Reference) (int64, error) {
	digest, err := l.Digest()
	if err != nil {
		return 0, err
	}
	unlock, err := b.Store.lockContext(ctx, "push "+to.Name()+" "+digest.String())
	if err != nil {
		return 0, err
	}
	defer unlock()
	moving := &movingLayer{Layer: l, builder: b, what: "pushing " + short(digest)}
	var send v1.Layer = moving
	if from != nil {
		send = &remote.MountableLayer{Layer: moving, Reference: from}
	}
	err = p.Upload(ctx, to, send)
	if moving.tries == 0 {
		return 0, err
	}
	size, _ := l.Size()
	return size, err
}

// mountable returns the repository of the same registry from which an image's base layers can be mounted, or nil.
func mountable(d v1.Descriptor, to name.Tag) name.Reference {
	from, err := name.ParseReference(d.Annotations[annotationBase])
	if err != nil || from.Context().RegistryStr() != to.RegistryStr() {
		return nil
	}
	return from
}

// movingLayer is a layer that reports the attempts to send it.
type movingLayer struct {
	v1.Layer
	builder *Builder
	what    string
	tries   int
}

// Compressed is called once for each attempt.
func (m *movingLayer) Compressed() (io.ReadCloser, error) {
	if m.tries++; m.tries > 1 {
		m.builder.note(m.what + ": the registry closed the connection: trying again")
	} else if size, err := m.Size(); err == nil {
		m.builder.start(m.what, size)
	}
	return m.Layer.Compressed()
}

// IsNoImage reports whether an error means that the store does not have an image.
func IsNoImage(err error) bool {
	var none *NoImageError
	return errors.As(err, &none)
}
