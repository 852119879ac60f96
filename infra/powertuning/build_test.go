package powertuning

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
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

// TestBuildInAStrangersModule: go mod tidy keeps no sums for a program that nobody imports, which is said in one line, with the cure.
func TestBuildInAStrangersModule(t *testing.T) {
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module stranger\n\ngo 1.26\n\nrequire github.com/twinstart/twinstart v0.0.0\n\nreplace github.com/twinstart/twinstart => " + repository + "\n",
		"main.go": "package main\n\nimport _ \"github.com/twinstart/twinstart/bench/measure/power/step\"\n\nfunc main() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v: %s", args, err, out)
		}
	}
	run("mod", "tidy")
	compiled, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(compiled))) // it would move with the next one
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("GOFLAGS", "")
	cure := "go mod edit -tool " + program
	if _, err := build(dir, map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]); err == nil || !strings.Contains(err.Error(), cure) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %v", err)
	}
	run("mod", "edit", "-tool", program)
	run("mod", "tidy")
	cmd := exec.Command("go", "build", "-o", os.DevNull, program) // not build: it would compile everything once more, without a cache
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("after %s: %v: %s", cure, err, out)
	}
}
