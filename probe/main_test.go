package probe_test

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/tools/need"
)

func TestMain(m *testing.M) {
	status := m.Run()
	if builtDir != "" {
		os.RemoveAll(builtDir)
	}
	os.Exit(status)
}

var builtDir string

// built builds, once, the lab's test bootstrap for both architectures and a hello world for this one. It returns their
// folder.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "twinstart-probe-test-")
	if err != nil {
		return "", err
	}
	builtDir = dir
	for _, arch := range []string{"amd64", "arm64"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, arch), "../lab/testdata/bootstrap")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", &exec.Error{Name: "go build: " + string(out), Err: err}
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "hello"), "../tools/hello/go")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: "go build: " + string(out), Err: err}
	}
	return dir, nil
})

// bootstrap returns the path of the test bootstrap for a GOARCH.
func bootstrap(t *testing.T, goarch string) string {
	t.Helper()
	dir, err := built()
	must(t, err)
	return filepath.Join(dir, goarch)
}

// hello returns the path of a program that reads the same pages at nearly every start. The test bootstrap does not,
// because its threads race.
func hello(t *testing.T) string { return bootstrap(t, "hello") }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newProber(t *testing.T, options probe.Options) *probe.Prober {
	t.Helper()
	need.Time(t)
	p, err := probe.New(options)
	must(t, err)
	t.Cleanup(p.Close)
	return p
}

func open(path string) (*probe.Package, error) {
	p, err := deployment.Open(path)
	return &probe.Package{Package: p}, err
}

func measure(t *testing.T, p *probe.Prober, path string) *probe.Result {
	t.Helper()
	pkg, err := open(path)
	must(t, err)
	r, err := p.Measure(t.Context(), pkg)
	must(t, err)
	return r
}

// folder makes a folder with files by name. Only a file named bootstrap is executable.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		mode := os.FileMode(0o644)
		if filepath.Base(name) == "bootstrap" {
			mode = 0o755
		}
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), content, mode))
		must(t, os.Chmod(filepath.Join(dir, name), mode))
	}
	return dir
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	return content
}

// zipped makes a ZIP of a folder.
func zipped(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "function.zip"))
	must(t, err)
	w := zip.NewWriter(f)
	must(t, w.AddFS(os.DirFS(dir)))
	must(t, w.Close())
	must(t, f.Close())
	return f.Name()
}
