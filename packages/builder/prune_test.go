package builder_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/twinstart/twinstart/packages/builder"
)

// Prune must remove what was not used for a month, also what a killed build left, and keep everything else.
func TestPrune(t *testing.T) {
	host := newRegistry(t, nil)
	pushBase(t, host+"/base:1", arm64, v1.Config{}, alBase)
	b := newBuilder(t)
	dir := folder(t, map[string]string{"Dockerfile": "FROM " + host + "/base:1\nCOPY a /\n", "a": ""})
	build(t, b, dir, "linux/arm64", "app")
	abandoned := filepath.Join(b.Store.Dir(), "blobs/sha256/.tmp-1")
	if err := os.Mkdir(abandoned, 0o700); err != nil {
		t.Fatal(err)
	}
	found := func(pattern string) (paths []string) {
		paths, err := filepath.Glob(filepath.Join(b.Store.Dir(), pattern))
		if err != nil {
			t.Fatal(err)
		}
		return paths
	}
	all := func() []string { return append(found("names/*"), found("blobs/sha256/*")...) }
	age := func(days int) {
		then := time.Now().Add(-time.Duration(days) * 24 * time.Hour)
		for _, path := range all() {
			if err := os.Chtimes(path, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	const named = 2 + 3 + 3 // the names of image and base; manifest, configuration and layer of each
	for _, test := range []struct {
		days int
		used bool
		left int
	}{{29, false, named + 1}, {31, true, named - 1 - 2}, {31, false, 0}} {
		age(test.days)
		if test.used { // the name, and what the image consists of: also the base's layer
			if _, err := b.Store.Image("app"); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Store.Prune(); err != nil {
			t.Fatal(err)
		}
		if left := all(); len(left) != test.left {
			t.Errorf("after %d days, used %v: %d are left: want %d: %s", test.days, test.used, len(left), test.left, left)
		}
		_, err := b.Store.Image("app")
		if errors.Is(err, builder.ErrNoImage) != (test.left == 0) {
			t.Errorf("after %d days: error %v", test.days, err)
		}
	}
	build(t, b, dir, "linux/arm64", "app")
}
