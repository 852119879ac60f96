package builder_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/twinstart/twinstart/packages/builder"
)

// abort ends a connection without notice, as a network may.
func abort(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// faulty makes a number of the picked requests fail.
func faulty(times int32, pick func(*http.Request) bool, fault func(http.ResponseWriter, *http.Request)) func(http.Handler) http.Handler {
	var seen atomic.Int32
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if pick(r) && seen.Add(1) <= times {
				fault(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func method(m, part string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == m && strings.Contains(r.URL.Path, part) }
}

// faults are ways in which registries and networks fail during a push.
var faults = []struct {
	name  string
	pick  func(*http.Request) bool
	fault func(http.ResponseWriter, *http.Request)
}{
	{"500 on starting a blob", method("POST", "/blobs/"), internal},
	{"500 on a blob's content", method("PATCH", "/blobs/"), internal},
	{"500 on closing a blob", method("PUT", "/blobs/"), internal},
	{"connection reset within a blob", method("PATCH", "/blobs/"), func(w http.ResponseWriter, r *http.Request) {
		io.CopyN(io.Discard, r.Body, 100)
		abort(w)
	}},
	{"429 on looking for a blob", method("HEAD", "/blobs/"), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }},
	{"503 on the manifest", method("PUT", "/manifests/"), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }},
	{"connection reset on the manifest", method("PUT", "/manifests/"), func(w http.ResponseWriter, _ *http.Request) { abort(w) }},
}

func internal(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	http.Error(w, "out of\nshelves", http.StatusInternalServerError)
}

// someApp returns a context for two layers; the first has 200 kB that do not compress.
func someApp(t *testing.T) string {
	noise := make([]byte, 200_000)
	rand.Read(noise)
	return folder(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY noise /\nCOPY b /\n", "noise": string(noise), "b": "b"})
}

func TestAFaultThatPasses(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			host := newRegistry(t, faulty(2, f.pick, f.fault))
			b, notes := newBuilder(t), &noted{}
			b.Progress = notes.note
			result := build(t, b, someApp(t), "linux/arm64", host+"/app:1")
			if _, err := b.Push(context.Background(), host+"/app:1"); err != nil {
				t.Fatal(err)
			}
			img := pulled(t, host+"/app:1")
			if digest, _ := img.Digest(); digest != result.Digest {
				t.Errorf("pushed %s: want %s", digest, result.Digest)
			}
			if err := validate.Image(img); err != nil {
				t.Error(err)
			}
			if len(notes.started) != 4 {
				t.Errorf("progress of %q only: want two layers written, two pushed", notes.started)
			}
		})
	}
}

// A push must send only the layers and the configuration that the registry does not have.
func TestPushSendsNothingTwice(t *testing.T) {
	var sent atomic.Int32
	host := newRegistry(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if method("PATCH", "/blobs/")(r) {
				sent.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	})
	b, dir := newBuilder(t), someApp(t)
	for _, push := range []struct {
		name, change string // change replaces the second layer's file
		want         int32
	}{{"/app:1", "b", 3}, {"/app:1", "b", 0}, {"/app:2", "b", 0}, {"/app:3", "changed", 2}, {"/app:3", "changed", 0}} {
		if err := os.WriteFile(filepath.Join(dir, "b"), []byte(push.change), 0o600); err != nil {
			t.Fatal(err)
		}
		build(t, b, dir, "linux/arm64", host+push.name)
		if _, err := b.Push(context.Background(), host+push.name); err != nil {
			t.Fatal(err)
		}
		if n := sent.Swap(0); n != push.want {
			t.Errorf("%s with %q: the registry received %d blobs: want %d", push.name, push.change, n, push.want)
		}
		if err := validate.Image(pulled(t, host+push.name)); err != nil {
			t.Error(err)
		}
	}
}

// If a fault stays, the push must fail with one line that says where, and must not tag anything.
func TestAFaultThatStays(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			host := newRegistry(t, faulty(1<<30, f.pick, f.fault))
			b := newBuilder(t)
			build(t, b, someApp(t), "linux/arm64", host+"/app:1")
			_, err := b.Push(context.Background(), host+"/app:1")
			if err == nil || !strings.HasPrefix(err.Error(), "pushing "+host+"/app:1: ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v: want one line that names the image", err)
			}
			if _, err := remote.Head(reference(t, host+"/app:1")); err == nil {
				t.Error("the failed push has tagged an image")
			}
		})
	}
}

func TestARegistryThatRefuses(t *testing.T) {
	for status, want := range map[int]string{403: "not logged in", 404: "bootstrapped?"} {
		host := newRegistry(t, faulty(1<<30, method("POST", ""), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		b := newBuilder(t)
		build(t, b, someApp(t), "linux/arm64", host+"/app:1")
		if _, err := b.Push(context.Background(), host+"/app:1"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("status %d: error %v: want one with %q", status, err, want)
		}
	}
}

// A registry that stops answering must not hang a push.
func TestASilentRegistry(t *testing.T) {
	gone := make(chan struct{})
	host := newRegistry(t, faulty(1<<30, method("PATCH", "/blobs/"), func(http.ResponseWriter, *http.Request) { <-gone }))
	defer close(gone)
	b := newBuilder(t)
	b.Idle, b.Retry.Steps = 50*time.Millisecond, 2
	build(t, b, someApp(t), "linux/arm64", host+"/app:1")
	var timeout net.Error
	if _, err := b.Push(context.Background(), host+"/app:1"); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("error %v: want a timeout", err)
	}
}

func TestPushEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	host := newRegistry(t, faulty(1<<30, method("PATCH", "/blobs/"), func(http.ResponseWriter, *http.Request) {
		cancel()
		<-gone
	}))
	defer close(gone)
	b := newBuilder(t)
	build(t, b, someApp(t), "linux/arm64", host+"/app:1")
	if _, err := b.Push(ctx, host+"/app:1"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v: want the context's error", err)
	}
}

// Builds and pushes of one store at the same time must not disturb each other.
func TestManyAtOnce(t *testing.T) {
	const images = 8
	host := newRegistry(t, nil)
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range images {
		context1 := folder(t, map[string]string{
			"Dockerfile": "FROM scratch\nCOPY same /\nCOPY own /\n", "same": "same", "own": fmt.Sprint("own ", i),
		})
		all.Go(func() {
			store, err := builder.OpenStore(dir)
			if err != nil {
				t.Error(err)
				return
			}
			b := &builder.Builder{Store: store, Retry: fast}
			local, tag := fmt.Sprintf("cdkasset-%d", i), fmt.Sprintf("%s/app:%d", host, i)
			if _, err := b.Build(context.Background(), builder.Options{Context: context1, Tags: []string{local}}); err != nil {
				t.Error(err)
				return
			}
			if err := store.Tag(local, tag); err != nil {
				t.Error(err)
			}
			if _, err := b.Push(context.Background(), tag); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range images {
		if err := validate.Image(pulled(t, fmt.Sprintf("%s/app:%d", host, i))); err != nil {
			t.Error(err)
		}
	}
	store, err := builder.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := store.Names(); err != nil || len(list) != 2*images {
		t.Errorf("%d names, error %v: want %d", len(list), err, 2*images)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "blobs/sha256/.tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

// If blobs were removed from the cache folder, the image must count as missing, so that the CDK CLI builds it
// again.
func TestAStoreWithHoles(t *testing.T) {
	b := newBuilder(t)
	result := build(t, b, someApp(t), "", "app")
	if _, err := b.Store.Image("app"); err != nil {
		t.Fatal(err)
	}
	for _, h := range []v1.Hash{result.Layers[1].Digest, result.Digest} {
		blobs, err := filepath.Glob(filepath.Join(b.Store.Dir(), "blobs/sha256", h.Hex))
		if err != nil || len(blobs) != 1 {
			t.Fatalf("%s: %v", blobs, err)
		}
		if err := os.Remove(blobs[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Store.Image("app"); !errors.Is(err, builder.ErrNoImage) {
			t.Errorf("without %s: error %v", h, err)
		}
		if _, err := b.Push(context.Background(), "app"); !errors.Is(err, builder.ErrNoImage) {
			t.Errorf("without %s: error %v", h, err)
		}
		if err := b.Store.Tag("app", "other"); !errors.Is(err, builder.ErrNoImage) {
			t.Errorf("without %s: error %v", h, err)
		}
	}
}
