//go:build linux

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestMovedPackage lays packages out elsewhere: one folder by its content, files by their names; what is not of the package stays where it is.
func TestMovedPackage(t *testing.T) {
	from := t.TempDir()
	for _, name := range []string{"bootstrap", "lib/a.sh", "loop.py"} {
		if err := os.MkdirAll(filepath.Join(from, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(from, name) }
	for name, c := range map[string]struct {
		candidate
		argv  []string // below the new folder, but where absolute
		dir   string
		there []string
	}{
		"a folder": {candidate{argv: []string{in("bootstrap")}, dir: from, files: []string{from}},
			[]string{"bootstrap"}, "", []string{"bootstrap", "lib/a.sh", "loop.py"}},
		"a program": {candidate{argv: []string{in("bootstrap"), "handler.run"}, dir: from, files: []string{in("bootstrap")}},
			[]string{"bootstrap", "handler.run"}, from, []string{"bootstrap"}},
		"an interpreter of the machine's": {candidate{argv: []string{"/bin/sh", in("loop.py")}, dir: in("lib"), files: []string{in("loop.py"), in("lib")}},
			[]string{"/bin/sh", "loop.py"}, "lib", []string{"lib/a.sh", "loop.py"}},
	} {
		to := t.TempDir()
		if err := c.layOut(to); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, file := range c.there {
			if info, err := os.Stat(filepath.Join(to, file)); err != nil || info.Mode().Perm()&0o100 == 0 {
				t.Errorf("%s: %s: %v, %v", name, file, info, err)
			}
		}
		below := func(path string) string {
			if filepath.IsAbs(path) || path == "handler.run" {
				return path
			}
			return filepath.Join(to, path)
		}
		var want []string
		for _, arg := range c.argv {
			want = append(want, below(arg))
		}
		if moved := c.movedTo(to); !slices.Equal(moved.argv, want) || moved.dir != below(c.dir) {
			t.Errorf("%s: %q in %s, want %q in %s", name, moved.argv, moved.dir, want, below(c.dir))
		}
	}
}

func TestPathsOfOneName(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "x"), filepath.Join(t.TempDir(), "x")
	for _, file := range []string{a, b} {
		if err := os.WriteFile(file, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := (&candidate{files: []string{a, b}}).layOut(t.TempDir()); err == nil || err.Error() != "two of its paths are named x" {
		t.Errorf("got %v", err)
	}
}
