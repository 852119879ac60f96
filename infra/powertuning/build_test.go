package powertuning

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// TestInAStrangersModule checks that a module that imports the construct and is tidy has all parts of the program,
// although no package imports the program. It also works vendored, and with a go.mod that must not change.
func TestInAStrangersModule(t *testing.T) {
	need.Time(t)
	dir := stranger(t)
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	run("mod", "tidy")
	if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err != nil || strings.Contains(string(text), "\ntool ") {
		t.Fatalf("%v: %s", err, text)
	}
	want := run("list", "-mod=readonly", "-deps", program)
	run("mod", "vendor")
	if got := run("list", "-mod=vendor", "-deps", program); got != want || !strings.Contains(got, "github.com/aws/aws-lambda-go/lambda\n") {
		t.Errorf("the program's packages are %s with vendoring, and %s without", got, want)
	}

	// If something is missing, the error is one line with the remedy.
	if err := os.RemoveAll(filepath.Join(dir, "vendor")); err != nil {
		t.Fatal(err)
	}
	sums := must(os.ReadFile(filepath.Join(dir, "go.sum")))(t)
	kept := slices.DeleteFunc(strings.SplitAfter(string(sums), "\n"), func(line string) bool { return strings.HasPrefix(line, "github.com/aws/aws-lambda-go ") })
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), []byte(strings.Join(kept, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(run("env", "GOCACHE"))) // it would change with the next variable
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("GOFLAGS", "")
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	if _, err := Build(dir, architecture); err == nil || !strings.Contains(err.Error(), "run `go mod tidy` there, once") || strings.Contains(err.Error(), "\n") {
		t.Errorf("want one line that says to run go mod tidy: %v", err)
	}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// stranger is a module that imports the construct and has not been tidied.
func stranger(t *testing.T) (dir string) {
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module stranger\n\ngo 1.26\n\nrequire github.com/twinstart/twinstart v0.0.0\n\nreplace github.com/twinstart/twinstart => " + repository + "\n",
		"main.go": "package main\n\nimport _ \"github.com/twinstart/twinstart/infra/powertuning\"\n\nfunc main() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
