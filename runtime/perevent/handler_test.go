//go:build linux

package perevent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	root := t.TempDir()
	for name, mode := range map[string]os.FileMode{"handler.sh": 0o644, "a/b.c.sh": 0o644, "program": 0o755, "a.b/program": 0o755, "text": 0o644} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ name, file, function, errorType string }{
		{"handler.run", "handler.sh", "run", ""},
		{"handler._Run_2", "handler.sh", "_Run_2", ""},
		{"a/b.c.run", "a/b.c.sh", "run", ""},
		{"program", "program", "", ""},
		{"a.b/program", "a.b/program", "", ""},
		{"other.run", "", "", "Runtime.NoSuchHandler"},
		{"handler.sh/x.run", "", "", "Runtime.NoSuchHandler"},
		{"other", "", "", "Runtime.NoSuchHandler"},
		{"text", "", "", "Runtime.HandlerNotExecutable"},
		{"a", "", "", "Runtime.HandlerNotExecutable"},
		{"", "", "", "Runtime.ConfigInvalid"},
		{"handler.2", "", "", "Runtime.ConfigInvalid"},
		{"handler.run-fast", "", "", "Runtime.ConfigInvalid"},
		{"handler.run()", "", "", "Runtime.ConfigInvalid"},
		{"handler.", "", "", "Runtime.ConfigInvalid"},
		{"./handler.run", "", "", "Runtime.ConfigInvalid"},
		{"a/../handler.run", "", "", "Runtime.ConfigInvalid"},
		{"/etc/passwd", "", "", "Runtime.ConfigInvalid"},
		{"-x", "", "", "Runtime.ConfigInvalid"},
		{"han\x00dler", "", "", "Runtime.ConfigInvalid"},
		{"h\u00e4ndler", "", "", "Runtime.ConfigInvalid"},
	} {
		h, err := Resolve(root, test.name)
		switch {
		case test.errorType != "":
			if err == nil || err.Type != test.errorType || strings.Contains(err.Message, "\n") {
				t.Errorf("%q: %v, want %s in one line", test.name, err, test.errorType)
			}
		case err != nil:
			t.Errorf("%q: %v", test.name, err)
		case h.File != filepath.Join(root, test.file) || h.Function != test.function:
			t.Errorf("%q is %s of %s, want %s of %s", test.name, h.Function, h.File, test.function, test.file)
		}
	}
}

// FuzzResolve checks that an accepted handler is below the root and that its parts are plain names.
func FuzzResolve(f *testing.F) {
	for _, seed := range []string{"handler.run", "a/b.c.run", "program", "../x.run", "a/../../b", "/x", "$(x).run", "a.b/c", "-x.run", "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		h, err := Resolve("/nonexistent", name)
		if err != nil && err.Type == "Runtime.ConfigInvalid" {
			return
		}
		if h.File != filepath.Clean(h.File) || !strings.HasPrefix(h.File, "/nonexistent/") || strings.ContainsAny(name, " $`'\"\\;&|<>(){}[]*?~!#\n\x00") {
			t.Errorf("%q gives %q, %q", name, h.File, h.Function)
		}
	})
}
