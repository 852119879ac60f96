//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLayOut lays packages out elsewhere: folders and files by their names, links as what they lead to.
func TestLayOut(t *testing.T) {
	from := t.TempDir()
	for _, name := range []string{"task/bootstrap", "task/lib/a.sh", "loop.py"} {
		if err := os.MkdirAll(filepath.Join(from, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("task/bootstrap", filepath.Join(from, "link")); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ files, there []string }{
		"a folder":          {[]string{"task"}, []string{"task/bootstrap", "task/lib/a.sh"}},
		"a program":         {[]string{"link"}, []string{"link"}},
		"files of a folder": {[]string{"loop.py", "task/lib"}, []string{"loop.py", "lib/a.sh"}},
	} {
		c, to := candidate{}, t.TempDir()
		for _, file := range test.files {
			c.files = append(c.files, filepath.Join(from, file))
		}
		if err := c.layOut(to); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, file := range test.there {
			if info, err := os.Lstat(filepath.Join(to, file)); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o100 == 0 {
				t.Errorf("%s: %s: %v, %v", name, file, info, err)
			}
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
