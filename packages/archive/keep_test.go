package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Several processes keep the same complete folder under one name. A folder that was not used for a week is removed,
// and so is one whose fill failed.
func TestKeep(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "kept")
	keep := func(text string) (string, error) {
		return Keep(parent, func(dir string) error { return os.WriteFile(filepath.Join(dir, "bootstrap"), []byte(text), 0o755) })
	}
	old, err := keep("old")
	if err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * unusedTime)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	kept := make([]string, 8)
	var all sync.WaitGroup
	for i := range kept {
		all.Go(func() {
			var err error
			if kept[i], err = keep("new"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, k := range kept {
		if text, err := os.ReadFile(filepath.Join(k, "bootstrap")); err != nil || string(text) != "new" || k != kept[0] {
			t.Errorf("%s, %v in %s, want new in %s", text, err, k, kept[0])
		}
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("a folder that was not used for two weeks is still there")
	}
	if other, err := keep("newer"); err != nil || other == kept[0] {
		t.Errorf("%s, %v: another program has the same folder", other, err)
	}
	if _, err := Keep(parent, func(string) error { return fs.ErrInvalid }); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("want the error of the caller: %v", err)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) != 2 {
		t.Errorf("%v in the folder, %v", entries, err)
	}
}
