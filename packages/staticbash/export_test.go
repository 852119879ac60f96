package staticbash

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/twinstart/twinstart/arm"
)

// WithSymbols builds a Bash that is not packed and has its symbols.
func WithSymbols(t *testing.T, a arm.Architecture) (path string) {
	t.Helper()
	whole := Builder{Log: testLog{t}}
	cache, err := whole.cache()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "bash-"+string(a))
	b := Builder{Log: whole.Log, Cache: t.TempDir(), recipe: "STRIP=-g\n" + recipe + "cp bash '" + path + "'\n"}
	b.zig, err = whole.findZig(t.Context(), cache)
	if err = cmp.Or(err, os.Symlink(filepath.Join(cache, "source"), filepath.Join(b.Cache, "source"))); err != nil {
		t.Fatal(err)
	}
	_, failed := b.Build(context.WithoutCancel(t.Context()), a)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(failed)
	}
	return path
}
