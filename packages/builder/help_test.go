package builder_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/builder"
)

// fast retries as often as the default, but without long waits.
var fast = remote.Backoff{Duration: time.Millisecond, Factor: 2, Steps: 5}

func newBuilder(t *testing.T) *builder.Builder {
	t.Helper()
	store, err := builder.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &builder.Builder{Store: store, Retry: fast}
}

// newRegistry serves an empty registry on loopback. wrap may be nil; if not, it wraps the registry's handler.
func newRegistry(t *testing.T, wrap func(http.Handler) http.Handler) (host string) {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// folder writes a build context from a map of path to content. Content that starts with "->" is a link's target; a
// name that ends in "!" is executable; a name that ends in a slash is a folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, strings.TrimSuffix(name, "!"))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		var err error
		target, isLink := strings.CutPrefix(content, "->")
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(file, 0o700)
		case isLink:
			err = os.Symlink(target, file)
		case strings.HasSuffix(name, "!"):
			err = os.WriteFile(file, []byte(content), 0o700)
		default:
			err = os.WriteFile(file, []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pushBase pushes an image to a registry. Its layers contain what the headers describe.
func pushBase(t *testing.T, ref string, p v1.Platform, config v1.Config, layers ...[]tar.Header) v1.Image {
	t.Helper()
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: p.OS, Architecture: p.Architecture, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	for _, headers := range layers {
		var archive bytes.Buffer
		w := tar.NewWriter(&archive)
		for _, h := range headers {
			content := "content of " + h.Name
			if h.Typeflag == 0 {
				h.Typeflag, h.Size, h.Mode = tar.TypeReg, int64(len(content)), 0o640
			}
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if h.Size > 0 {
				if _, err := io.WriteString(w, content); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil })
		if err != nil {
			t.Fatal(err)
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			t.Fatal(err)
		}
	}
	if err := remote.Write(reference(t, ref), img); err != nil {
		t.Fatal(err)
	}
	return img
}

func reference(t *testing.T, s string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func pulled(t *testing.T, ref string) v1.Image {
	t.Helper()
	img, err := remote.Image(reference(t, ref))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// listing returns the file system of an image: type, mode, owner, time and content by path.
func listing(t *testing.T, img v1.Image) map[string]string {
	t.Helper()
	flat := mutate.Extract(img)
	defer flat.Close()
	out := map[string]string{}
	for files := tar.NewReader(flat); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%c %04o %d:%d", h.Typeflag, h.Mode, h.Uid, h.Gid)
		if h.ModTime.Equal(archive.Epoch) {
			text += " epoch"
		}
		if h.Linkname != "" {
			text += " -> " + h.Linkname
		}
		if len(content) > 0 {
			text += " " + string(content)
		}
		if h.Typeflag == tar.TypeDir {
			h.Name += "/"
		}
		out[h.Name] = text
	}
}

// noted keeps a builder's notes, and the layers that it has begun to move.
type noted struct {
	mu      sync.Mutex
	lines   []string
	started []string
}

func (n *noted) note(line string, bytes int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if bytes > 0 {
		n.started = append(n.started, line)
	} else {
		n.lines = append(n.lines, line)
	}
}

func (n *noted) text() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.lines, "\n")
}

// build calls Build and fails the test on an error.
func build(t *testing.T, b *builder.Builder, dir, platform string, tags ...string) *builder.Result {
	t.Helper()
	result, err := b.Build(context.Background(), builder.Options{Context: dir, Platform: platform, Tags: tags})
	if err != nil {
		t.Fatal(err)
	}
	return result
}
