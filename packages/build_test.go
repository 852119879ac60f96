package packages_test

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/tools/need"
)

var architectures = []arm.Architecture{arm.ARM64, arm.X8664}

// moduleRoot is the root of this checkout.
const moduleRoot = ".."

// sharedDir is a folder into which most tests build, so that each bootstrap is linked once.
var sharedDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "twinstart-packages-")
	if err != nil {
		panic(err)
	}
	sharedDir = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

func workspace() *packages.Workspace {
	return &packages.Workspace{Dir: sharedDir, ModuleDir: moduleRoot}
}

// module copies the sources of the bootstraps to another path, which must not affect the result. A test may edit
// the copy.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(moduleRoot, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(data))
	}
	if err := os.CopyFS(filepath.Join(dir, "runtime"), os.DirFS(filepath.Join(moduleRoot, "runtime"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// handler makes a folder with a handler that differs from all handlers of this module.
func handler(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "greet")
	write(t, filepath.Join(dir, "handler.sh"), "run() { printf '%s' \"$1\"; }\n")
	write(t, filepath.Join(dir, "lib", "words.sh"), "word=hello\n")
	write(t, filepath.Join(dir, "testdata", "event.json"), "{}")
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree returns the content of a folder: path to mode, time (of files and folders) and bytes or link.
func tree(t *testing.T, dir string, times bool) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		switch {
		case entry.Type() == fs.ModeSymlink:
			link, err := os.Readlink(path)
			out[name] = text + " -> " + link
			return err
		case times:
			text += info.ModTime().UTC().Format(time.RFC3339Nano)
		}
		if entry.Type().IsRegular() {
			data, err := os.ReadFile(path)
			out[name] = text + string(data)
			return err
		}
		out[name] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sameTree compares two trees without printing megabytes.
func sameTree(t *testing.T, what string, x, y map[string]string) {
	t.Helper()
	for name := range x {
		if _, ok := y[name]; !ok {
			t.Errorf("%s: %s is in the first only", what, name)
		} else if x[name] != y[name] {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	for name := range y {
		if _, ok := x[name]; !ok {
			t.Errorf("%s: %s is in the second only", what, name)
		}
	}
}

// available returns false for an *UnavailableError that says what to do. It ends the test for any other error.
func available(t *testing.T, err error) bool {
	t.Helper()
	var unavailable *packages.UnavailableError
	if errors.As(err, &unavailable) {
		if unavailable.What == "" || unavailable.Why == "" || unavailable.Remedy == "" {
			t.Errorf("%#v must say what is unavailable, why, and what to do", unavailable)
		}
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}

var twice = flag.Bool("twice", false, "build every bootstrap twice and compare, not only three of them (make reproducible)")

// Everything is built in two folders from two copies of the source and compared byte for byte. What cannot be built
// here must be unavailable both times.
func TestTwiceTheSameBytes(t *testing.T) {
	need.Time(t)
	ctx, handlerDir := context.Background(), handler(t)
	first := workspace()
	second := &packages.Workspace{Dir: t.TempDir(), ModuleDir: module(t)}
	both := func(what string, times bool, make func(*packages.Workspace) (string, error)) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			x, err := make(first)
			y, err2 := make(second)
			if !available(t, err) {
				if available(t, err2) {
					t.Errorf("only the first build is unavailable")
				}
				need.No(t, err)
			}
			if err2 != nil {
				t.Fatal(err2)
			}
			sameTree(t, what, tree(t, x, times), tree(t, y, times))
		})
	}
	for _, b := range packages.Bootstraps() {
		if !*twice && b.Name != "rawsyscall" && b.Name != "rawtcp-upx" && b.Name != "bashcurl" {
			continue
		}
		for _, a := range architectures {
			both(b.Name+" for "+string(a), false, func(w *packages.Workspace) (string, error) { return w.Bootstrap(ctx, b.Name, a) })
			both(b.Name+"/zip for "+string(a), false, func(w *packages.Workspace) (string, error) { return w.ZIP(ctx, b.Name, a, handlerDir) })
			for _, p := range []arm.Package{arm.Image, arm.ImageMinimal} {
				if b.Name == "bashcurl" && p == arm.ImageMinimal {
					continue
				}
				both(arm.ID(b.Name, p)+" for "+string(a), true, func(w *packages.Workspace) (string, error) {
					return w.ImageContext(ctx, p, b.Name, a, handlerDir)
				})
			}
		}
	}
}

func TestAnEditIsNeverMissed(t *testing.T) {
	need.Time(t)
	ctx, source, out := context.Background(), module(t), t.TempDir()
	bytesOf := func() string {
		t.Helper()
		dir, err := (&packages.Workspace{Dir: out, ModuleDir: source}).Bootstrap(ctx, "rawtcp", arm.X8664)
		if err != nil {
			t.Fatal(err)
		}
		return tree(t, dir, false)["bootstrap"]
	}
	before := bytesOf()
	edit := filepath.Join(source, "runtime", "rawtcp", "edit.go")
	write(t, edit, "package main\n\nimport \"os\"\n\nfunc init() { os.Setenv(\"EDITED\", \"yes\") }\n")
	if bytesOf() == before {
		t.Error("a new file left the binary as it was")
	}
	if err := os.Remove(edit); err != nil {
		t.Fatal(err)
	}
	if bytesOf() != before {
		t.Error("taking the edit back did not bring the binary back")
	}
	write(t, edit, "package main\n\nthis is no Go\n")
	_, err := (&packages.Workspace{Dir: out, ModuleDir: source}).Bootstrap(ctx, "rawtcp", arm.X8664)
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "edit.go") {
		t.Errorf("source that does not compile: %v", err)
	}
	if _, err := (&packages.Workspace{Dir: out, ModuleDir: source}).Bootstrap(ctx, "bashtcp", arm.X8664); err != nil {
		t.Errorf("a bootstrap that has nothing to do with it: %v", err)
	}
}

func TestParallelCallersAgree(t *testing.T) {
	ctx, dir, handlerDir := context.Background(), t.TempDir(), handler(t)
	shared := &packages.Workspace{Dir: dir, ModuleDir: moduleRoot}
	paths := make([]string, 6)
	errs := make([]error, len(paths))
	var wait sync.WaitGroup
	for i := range paths {
		wait.Go(func() {
			w := shared
			if i%2 == 0 { // another Workspace, like another process
				w = &packages.Workspace{Dir: dir, ModuleDir: moduleRoot}
			}
			if paths[i], errs[i] = w.ImageContext(ctx, arm.Image, "rawtcp", arm.X8664, handlerDir); errs[i] == nil {
				_, errs[i] = w.ZIP(ctx, "rawtcp", arm.X8664, handlerDir)
			}
		})
	}
	wait.Wait()
	for i := range paths {
		if errs[i] != nil || paths[i] != paths[0] {
			t.Errorf("%s, %v: want %s", paths[i], errs[i], paths[0])
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "new-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A warm call must build nothing, in any process.
func TestWarmBuildsNothing(t *testing.T) {
	need.Time(t)
	ctx, handlerDir := context.Background(), handler(t)
	write(t, filepath.Join(handlerDir, "new.sh"), "# only in this test\n")
	var cold, warm strings.Builder
	for _, log := range []*strings.Builder{&cold, &warm} {
		w := workspace()
		w.Log = log
		for _, b := range packages.Bootstraps() {
			if _, err := w.ZIP(ctx, b.Name, arm.X8664, handlerDir); !available(t, err) {
				continue // TestTwiceTheSameBytes reports it
			}
			if _, err := w.ImageContext(ctx, arm.Image, b.Name, arm.X8664, handlerDir); err != nil {
				t.Error(err)
			}
		}
	}
	if cold.Len() == 0 || warm.Len() != 0 {
		t.Errorf("cold builds log %q, want something; warm builds log %q, want nothing", cold.String(), warm.String())
	}
}

func TestACancelledBuildCanBeRepeated(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := &packages.Workspace{Dir: t.TempDir(), ModuleDir: moduleRoot}
	if _, err := w.Bootstrap(ctx, "rawtcp", arm.X8664); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v: want cancelled", err)
	}
	if _, err := w.Bootstrap(context.Background(), "rawtcp", arm.X8664); err != nil {
		t.Error(err)
	}
}

func TestBootstrapsAreThoseOfTheDesign(t *testing.T) {
	var names []string
	for _, b := range packages.Bootstraps() {
		names = append(names, b.Name)
		if b.Doc == "" {
			t.Errorf("%s has no Doc", b.Name)
		}
	}
	want := []string{"bashcurl", "bashtcp", "bashtcp-static", "nethttp", "rawtcp", "rawtcp-upx", "rawtcp-padded", "lambdago", "rawsyscall"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

// Dir is relative to the working folder, not to the module's folder.
func TestRelativeFolders(t *testing.T) {
	root, err := filepath.Abs(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	w := &packages.Workspace{Dir: "out", ModuleDir: root}
	dir, err := w.Bootstrap(context.Background(), "rawtcp", arm.X8664)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "bootstrap")); err != nil || !strings.HasPrefix(dir, "out/") {
		t.Errorf("%s: %v", dir, err)
	}
}
