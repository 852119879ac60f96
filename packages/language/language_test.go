package language

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/tools/need"
)

var all = flag.Bool("languages", false, "build a function of every language twice")

var here = map[string]arm.Architecture{"amd64": arm.X8664, "arm64": arm.ARM64}[runtime.GOARCH]

func by(t *testing.T, name string) Language {
	t.Helper()
	for _, l := range All() {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no %s", name)
	return Language{}
}

// Two builds have the same bytes, modes and times. The second build may reuse dependencies that were compiled before.
func TestReproducible(t *testing.T) {
	if !*all {
		t.Skip("make test-languages runs it")
	}
	f := Function{Project: "../../handlers/geo", Name: "search"} // with its libraries
	for _, l := range All() {
		for _, a := range []arm.Architecture{arm.X8664, arm.ARM64} {
			t.Run(l.Name+"/"+string(a), func(t *testing.T) {
				first := digest(t, l, f, a)
				if again := digest(t, l, f, a); again != first {
					t.Error("two builds differ")
				}
			})
		}
	}
}

// digest builds a function and returns the digest of its folder, which it removes.
func digest(t *testing.T, l Language, f Function, a arm.Architecture) string {
	t.Helper()
	dir, err := l.Build(t.Context(), f, a)
	if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
		if strings.HasSuffix(l.Name, "sharp") {
			t.Skip(err) // the SDK of .NET is optional, in CI too
		}
		need.No(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	digest, err := archive.FolderDigest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.Build(t.Context(), f, a); again != dir || err != nil {
		t.Errorf("the second call returns %s, want the kept folder %s: %v", again, dir, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	return digest
}

// A build is kept in a folder whose name depends on the sources. Other sources have another folder, and a build that
// fails leaves nothing.
func TestKeptBySources(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("TWINSTART_CACHE", cache)
	project := t.TempDir()
	source := filepath.Join(project, "node", "f.mjs")
	write := func(text string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(source), 0o755), os.WriteFile(source, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	f, l := Function{Project: project, Name: "f", Bare: true}, by(t, "node")
	l.tools = nil
	write("export const handler = 1")
	first, err := l.Build(t.Context(), f, here)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(first, "f.mjs")); err != nil || info.Mode() != 0o644 || !info.ModTime().Equal(archive.Epoch) {
		t.Errorf("%v, %v: want mode 0644 and a time that is always the same", info, err)
	}
	long := time.Now().Add(-2 * unused)
	if err := os.Chtimes(first, long, long); err != nil {
		t.Fatal(err)
	}
	write("export const handler = 2")
	if second, err := l.Build(t.Context(), f, here); err != nil || second == first {
		t.Errorf("%s, %v: other sources have the same folder", second, err)
	}
	if _, err := os.Stat(first); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v: a folder that was not used for long is still there", err)
	}
	if _, err := os.Stat(filepath.Join(cache, "languages", "kept-node")); err != nil {
		t.Errorf("the folder that later builds reuse was removed: %v", err)
	}
	l.tools = []string{"twinstart-none --version"}
	var unavailable *packages.UnavailableError
	if _, err := l.Build(t.Context(), f, here); !errors.As(err, &unavailable) || unavailable.Why != "no twinstart-none here" {
		t.Errorf("want an error about the missing tool: %v", err)
	}
	f.Bare, l.tools = false, nil                              // without a package-lock.json
	t.Setenv("NODE_OPTIONS", "--require ./ahead-of-jsii.cjs") // of the folder that synth runs in
	if _, err := l.Build(t.Context(), f, here); err == nil || strings.Contains(err.Error(), "MODULE_NOT_FOUND") || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "building f in node for "+string(here)+": running npm ci") {
		t.Errorf("want one line about npm ci: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "languages", ".tmp-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// Without Python 3.13 the modules are not compiled. When it is installed later, they are.
func TestPythonInstalledLater(t *testing.T) {
	t.Setenv("TWINSTART_CACHE", t.TempDir())
	project, bin := t.TempDir(), t.TempDir()
	interpreter, err := exec.LookPath("python3")
	if err == nil {
		err = os.Symlink(interpreter, filepath.Join(bin, "python3"))
	}
	if err = errors.Join(err, os.MkdirAll(filepath.Join(project, "python"), 0o755),
		os.WriteFile(filepath.Join(project, "python", "f.py"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	f, l := Function{Project: project, Name: "f", Bare: true}, by(t, "python")
	l.tools = nil
	plain, err := l.Build(t.Context(), f, here)
	if err == nil {
		err = os.WriteFile(filepath.Join(bin, "python3.13"), []byte("#!/bin/sh\n"), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	if compiled, err := l.Build(t.Context(), f, here); err != nil || compiled == plain {
		t.Errorf("%s, %v: want another folder than without Python 3.13", compiled, err)
	}
}

// Rust's build also needs Python: if only python3 is missing, the remedy must name it.
func TestRemedyNamesTheMissingTool(t *testing.T) {
	bin := t.TempDir()
	for _, tool := range []string{"cargo", "rustc"} {
		if err := os.WriteFile(filepath.Join(bin, tool), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv("TWINSTART_CACHE", t.TempDir())
	_, err := by(t, "rust").Build(t.Context(), Function{Project: "../../handlers/geo", Name: "search"}, here)
	var unavailable *packages.UnavailableError
	if !errors.As(err, &unavailable) || unavailable.Why != "no python3 here" || !strings.Contains(unavailable.Remedy, "Python") {
		t.Errorf("want an error about python3: %v", err)
	}
}

func TestHandlers(t *testing.T) {
	for name, want := range map[string]string{"java": "geo.SearchConcurrent::handle", "csharp": "geo::Geo.SearchConcurrent::Handle", "fsharp": "geo::Geo.SearchConcurrent::Handle", "node": "search-concurrent.handler", "bash": "search-concurrent.run", "go": "bootstrap"} {
		if got := by(t, name).Handler("search-concurrent"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
