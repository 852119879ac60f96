package builder_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/twinstart/twinstart/packages/builder"
)

// Prune must remove names after a month, then their blobs, and at once what a killed build left. It must keep
// everything else.
func TestPrune(t *testing.T) {
	host := newRegistry(t, nil)
	pushBase(t, host+"/base:1", arm64, v1.Config{}, alBase)
	b := newBuilder(t)
	dir := folder(t, map[string]string{"Dockerfile": "FROM " + host + "/base:1\nCOPY a /\n", "a": ""})
	build(t, b, dir, "linux/arm64", "app")
	abandoned := filepath.Join(b.Store.Dir(), "temporary", "blob-1")
	if err := os.WriteFile(abandoned, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	blobs := func() int {
		found, err := filepath.Glob(filepath.Join(b.Store.Dir(), "layout/blobs/sha256/*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	const all = 3 + 3 // manifest, configuration and layer of base and image
	for _, test := range []struct {
		days  int
		blobs int
		found bool
	}{{0, all, true}, {2, all, true}, {29, all, true}, {31, 0, false}} {
		if err := b.Store.Prune(time.Now().Add(time.Duration(test.days) * 24 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := blobs(); n != test.blobs {
			t.Errorf("after %d days %d blobs: want %d", test.days, n, test.blobs)
		}
		if _, err := b.Store.Image("app"); builder.IsNoImage(err) == test.found {
			t.Errorf("after %d days: error %v", test.days, err)
		}
		if _, err := os.Stat(abandoned); (err == nil) != (test.days == 0) {
			t.Errorf("after %d days: what was abandoned: %v", test.days, err)
		}
	}
	build(t, b, dir, "linux/arm64", "app")
}
