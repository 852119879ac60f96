package builder_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/twinstart/twinstart/packages/builder"
)

func TestTheBaseIsOfThePlatform(t *testing.T) {
	host := newRegistry(t, nil)
	single := pushBase(t, host+"/single:1", amd64, v1.Config{}, alBase)
	other := pushBase(t, host+"/other:1", arm64, v1.Config{}, alBase)
	list := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: empty.Image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}},
		mutate.IndexAddendum{Add: single, Descriptor: v1.Descriptor{Platform: &amd64}},
		mutate.IndexAddendum{Add: other, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}}})
	if err := remote.WriteIndex(reference(t, host+"/list:1"), list); err != nil {
		t.Fatal(err)
	}
	half := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: single, Descriptor: v1.Descriptor{Platform: &amd64}})
	if err := remote.WriteIndex(reference(t, host+"/half:1"), half); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ base, platform, fault string }{
		{"single:1", "linux/amd64", ""},
		{"single:1", "linux/arm64", "base image " + host + "/single:1 is not for linux/arm64: it offers linux/amd64; "},
		{"list:1", "linux/amd64", ""},
		{"list:1", "linux/arm64", ""},
		{"half:1", "linux/arm64", "base image " + host + "/half:1 is not for linux/arm64: it offers linux/amd64; "},
	} {
		t.Run(test.base+" "+test.platform, func(t *testing.T) {
			b := newBuilder(t)
			dir := folder(t, map[string]string{"Dockerfile": "FROM " + host + "/" + test.base + "\nCOPY a /\n", "a": ""})
			result, err := b.Build(context.Background(), builder.Options{Context: dir, Platform: test.platform, Tags: []string{"app"}})
			if test.fault != "" {
				var typed *builder.PlatformError
				if !errors.As(err, &typed) || !strings.HasPrefix(err.Error(), test.fault) {
					t.Errorf("error %v: want one that starts %q", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			image, err := b.Store.Image("app")
			if err != nil {
				t.Fatal(err)
			}
			config, err := image.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			if got := config.OS + "/" + config.Architecture; got != test.platform || len(result.Layers) != 2 {
				t.Errorf("built for %s, %d layers", got, len(result.Layers))
			}
		})
	}
}

// If several builds want a base at the same time, its layers must be downloaded once, even if a connection breaks.
func TestABaseIsPulledOnce(t *testing.T) {
	var pulls atomic.Int32
	var layer string
	var size int64
	host := newRegistry(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "GET" && strings.HasSuffix(r.URL.Path, "/blobs/"+layer) && pulls.Add(1) == 1 {
				w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
				io.WriteString(w, "half")
				http.NewResponseController(w).Flush()
				abort(w)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	img := pushBase(t, host+"/base:1", arm64, v1.Config{}, alBase)
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	layer, size = manifest.Layers[0].Digest.String(), manifest.Layers[0].Size
	b := newBuilder(t)
	notes := &noted{}
	b.Progress = notes.note
	dir := folder(t, map[string]string{"Dockerfile": "FROM " + host + "/base:1\nCOPY a /\n", "a": ""})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := b.Build(context.Background(), builder.Options{Context: dir, Platform: "linux/arm64"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := pulls.Load(); n != 2 {
		t.Errorf("the layer was asked for %d times: want 2", n)
	}
	if !strings.Contains(notes.text(), "trying again") {
		t.Errorf("notes %q do not report the broken connection", notes.text())
	}
}

// If the registry does not answer, the build uses the base that was pulled earlier, and says so.
func TestABaseWithoutItsRegistry(t *testing.T) {
	var down atomic.Bool
	host := newRegistry(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if down.Load() {
				abort(w)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	pushBase(t, host+"/base:1", arm64, v1.Config{}, alBase)
	dir := folder(t, map[string]string{"Dockerfile": "FROM " + host + "/base:1\nCOPY a /\n", "a": ""})
	b := newBuilder(t)
	notes := &noted{}
	b.Progress = notes.note
	first := build(t, b, dir, "linux/arm64")
	down.Store(true)
	second := build(t, b, dir, "linux/arm64")
	if first.Digest != second.Digest {
		t.Errorf("%s, then %s", first.Digest, second.Digest)
	}
	if !strings.Contains(notes.text(), "as pulled earlier") {
		t.Errorf("notes %q do not say so", notes.text())
	}
	_, err := newBuilder(t).Build(context.Background(), builder.Options{Context: dir, Platform: "linux/arm64"})
	if err == nil || !strings.HasPrefix(err.Error(), "getting base image "+host+"/base:1: ") {
		t.Errorf("error %v: want one that names the base", err)
	}
	if _, err := b.Build(context.Background(), builder.Options{Context: dir, Platform: "linux/amd64"}); err == nil {
		t.Error("the base of one platform was used for another")
	}
}

// asked counts the requests to a keychain.
type asked struct{ n atomic.Int32 }

func (a *asked) Resolve(authn.Resource) (authn.Authenticator, error) {
	a.n.Add(1)
	return authn.Anonymous, nil
}

// public.ecr.aws refuses expired logins and needs no login.
func TestThePublicGalleryGetsNoLogin(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // nothing leaves this machine
	for host, want := range map[string]int32{"public.ecr.aws": 0, "127.0.0.1:1": 1} {
		b := newBuilder(t)
		keychain := &asked{}
		b.Keychain = keychain
		dir := folder(t, map[string]string{"Dockerfile": "FROM " + host + "/lambda/provided:al2023\n"})
		if _, err := b.Build(ctx, builder.Options{Context: dir}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", host, err)
		}
		if n := keychain.n.Load(); n != want {
			t.Errorf("%s: the keychain was asked %d times: want %d", host, n, want)
		}
	}
}
