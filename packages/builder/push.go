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

// Pushed is what a push did.
type Pushed struct {
	Digest   v1.Hash
	Uploaded int   // layers
	Bytes    int64 // that those have
	Existing int   // layers that the registry had, or mounted from another of its repositories
}

// Push sends an image of the store to the registry that its name begins with. The manifest goes last: a push that ends in an error
// has tagged nothing. Several pushes to one repository send a layer that they share once.
func (b *Builder) Push(ctx context.Context, image string) (*Pushed, error) {
	d, err := b.Store.find(image)
	if err != nil {
		return nil, err
	}
	tag, err := name.NewTag(image)
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

// pushLayer sends a layer unless the registry has it, and returns the bytes sent.
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
	if moving.task == nil {
		return 0, err
	}
	moving.task.Done(err)
	size, _ := l.Size()
	return size, err
}

// mountable is the repository of the same registry that an image's base layers can be mounted from; nil if there is none.
func mountable(d v1.Descriptor, to name.Tag) name.Reference {
	from, err := name.ParseReference(d.Annotations[annotationBase])
	if err != nil || from.Context().RegistryStr() != to.RegistryStr() {
		return nil
	}
	return from
}

// movingLayer tells of the bytes that are read of it: those are being sent.
type movingLayer struct {
	v1.Layer
	builder *Builder
	what    string
	task    Task
	passed  atomic.Int64
	tries   int
}

// Compressed is called once for each try.
func (m *movingLayer) Compressed() (io.ReadCloser, error) {
	if m.task == nil {
		size, err := m.Size()
		if err != nil {
			return nil, err
		}
		m.task = m.builder.start(m.what, size)
	}
	if m.tries++; m.tries > 1 {
		m.task.Add(-m.passed.Swap(0))
		m.builder.note(m.what + ": the registry broke off: trying again")
	}
	r, err := m.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	return readCloser{&observed{r, func(n int64) { m.passed.Add(n); m.task.Add(n) }}, r}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// IsNoImage says whether an error means that the store has no such image.
func IsNoImage(err error) bool {
	var none *NoImageError
	return errors.As(err, &none)
}
