package main

import (
	"archive/tar"
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// imageFor returns an image FROM scratch whose only file is a bootstrap.
func imageFor(t *testing.T) v1.Image {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "github.com/twinstart/twinstart/lab/testdata/bootstrap")
	build.Dir, build.Env = repository, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(program)
	ok(t, err)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	ok(t, w.WriteHeader(&tar.Header{Name: "var/task/bootstrap", Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}))
	_, err = w.Write(content)
	ok(t, err)
	ok(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	ok(t, err)
	img, err := mutate.AppendLayers(empty.Image, layer)
	ok(t, err)
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers", DiffIDs: diffIDs(t, img)},
		Config: v1.Config{Entrypoint: []string{"/var/task/bootstrap"}, WorkingDir: "/var/task"}})
	ok(t, err)
	return img
}

func diffIDs(t *testing.T, img v1.Image) []v1.Hash {
	config, err := img.ConfigFile()
	ok(t, err)
	return config.RootFS.DiffIDs
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// repository is the root of this repository, even if a test changes its folder.
var repository = func() string {
	dir, _ := filepath.Abs(filepath.Join("..", ".."))
	return dir
}()

// TestImagesWhereverTheyLie measures an image from a registry, by tag and by digest, and an OCI layout with several
// platforms. From the layout it takes the image for this machine.
func TestImagesWhereverTheyLie(t *testing.T) {
	inEmptyFolder(t)
	img := imageFor(t)
	foreign, err := mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "other", RootFS: v1.RootFS{Type: "layers", DiffIDs: diffIDs(t, img)},
		Config: v1.Config{Entrypoint: []string{"/absent"}}})
	ok(t, err)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	tag, err := name.ParseReference(host + "/team/fn:v1")
	ok(t, err)
	ok(t, remote.Write(tag, img))
	digest, err := img.Digest()
	ok(t, err)
	several := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: foreign, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "other"}}},
		mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: runtime.GOARCH}}})
	_, err = layout.Write("layout", several)
	ok(t, err)

	for _, image := range []string{tag.String(), host + "/team/fn@" + digest.String(), "layout"} {
		if status, stdout, stderr := twinstart(t, "invoke", image); status != exitOK || stdout != "{}" {
			t.Errorf("invoke %s: status %d, %q, %s", image, status, stdout, stderr)
		}
		if status, stdout, stderr := twinstart(t, "run", image, "--cold", "1", "--warm", "1", "--out", "o"); status != exitOK || len(armsOf(t, "o")) != 1 {
			t.Errorf("run %s: status %d, %s%s", image, status, stdout, stderr)
		}
		if status, stdout, stderr := twinstart(t, "predict", image); status != exitOK || !strings.Contains(stdout, "Predicted on AWS") {
			t.Errorf("predict %s: status %d, %s%s", image, status, stdout, stderr)
		}
	}
	server.CloseClientConnections()
	for _, test := range []struct{ image, want string }{
		{host + "/team/fn:absent", "docker save " + host + "/team/fn:absent"},
		{"127.0.0.1:1/fn:v1", "pulling 127.0.0.1:1/fn:v1"},
	} {
		status, _, stderr := twinstart(t, "predict", test.image)
		if status != exitUsage || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: status %d, want one line with %q: %s", test.image, status, test.want, stderr)
		}
	}
}
