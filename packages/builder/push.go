package builder

import (
	"context"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Push sends an image of the store to the registry in its name. It sends the manifest last, so a push that fails
// has tagged nothing. It sends only the layers that the registry does not have.
func (b *Builder) Push(ctx context.Context, n string) (digest v1.Hash, err error) {
	tag, err := parseTag(n)
	if err != nil {
		return digest, err
	}
	img, err := b.Store.Image(n)
	if err != nil {
		return digest, err
	}
	layers, err := img.Layers()
	if err != nil {
		return digest, err
	}
	sent := sending{Image: img}
	for _, l := range layers {
		sent.layers = append(sent.layers, &movingLayer{Layer: l, note: b.note})
	}
	if err := remote.Write(tag, sent, b.remoteOptions(ctx, tag.Registry)...); err != nil {
		return digest, &RegistryError{"pushing " + n, err}
	}
	return img.Digest()
}

// sending is an image whose layers report the attempts to send them.
type sending struct {
	v1.Image
	layers []v1.Layer
}

func (s sending) Layers() ([]v1.Layer, error) { return s.layers, nil }

type movingLayer struct {
	v1.Layer
	note  func(line string, bytes int64)
	tries int
}

// Compressed is called once for each attempt.
func (m *movingLayer) Compressed() (io.ReadCloser, error) {
	digest, err := m.Digest()
	if err != nil {
		return nil, err
	}
	if m.tries++; m.tries > 1 {
		m.note("pushing "+short(digest)+": the registry closed the connection: trying again", 0)
	} else if size, err := m.Size(); err == nil {
		m.note("pushing "+short(digest), size)
	}
	return m.Layer.Compressed()
}
