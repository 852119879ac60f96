package powertuning

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Several synths keep the same program in the same folder, whole; what nobody has used for a week goes.
func TestKeep(t *testing.T) {
	dir := t.TempDir()
	program := func(text string) string {
		fresh, err := os.MkdirTemp(dir, "build-")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(fresh, "bootstrap"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	old := program("old")
	long := time.Now().Add(-2 * unusedTime)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	kept := make([]string, 8)
	var all sync.WaitGroup
	for i := range kept {
		fresh := program("new")
		all.Go(func() {
			var err error
			if kept[i], err = keep(dir, fresh); err != nil {
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
		t.Error("what nobody used for two weeks is there")
	}
	if other, err := keep(dir, program("newer")); err != nil || other == kept[0] {
		t.Errorf("%s, %v: another program has the same folder", other, err)
	}
}
