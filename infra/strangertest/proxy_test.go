package strangertest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

const modulePath = "github.com/twinstart/twinstart"

// repository is the folder of go.mod.
var repository = func() string {
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	return dir
}()

// file is a file of the repository, for a module's ZIP file.
type file struct{ name string }

func (f file) Path() string                 { return f.name }
func (f file) Lstat() (os.FileInfo, error)  { return os.Lstat(filepath.Join(repository, f.name)) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(repository, f.name)) }

// sources returns the files that a tag would contain: the files that git knows or would add, except those of a module
// within the module.
func sources(t *testing.T) []modzip.File {
	t.Helper()
	out, err := exec.Command("git", "-C", repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	var files []modzip.File
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(repository, name)); err == nil && info.Mode().IsRegular() && !strings.HasPrefix(name, "examples/") {
			files = append(files, file{name})
		}
	}
	return files
}

// newProxy writes a module proxy that serves this repository. It returns the proxy's URL and the version there. The
// version depends on the content, because a module cache never reads the same version again. See
// https://go.dev/ref/mod#goproxy-protocol.
func newProxy(t *testing.T) (url, version string) {
	t.Helper()
	files := sources(t)
	hash := sha256.New()
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(repository, f.Path()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(hash, "%s %x\n", f.Path(), sha256.Sum256(content))
	}
	version = fmt.Sprintf("v0.0.0-test.x%x", hash.Sum(nil)[:8])
	root := t.TempDir()
	dir := filepath.Join(root, modulePath, "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := modzip.Create(out, module.Version{Path: modulePath, Version: version}, files); err != nil {
		t.Fatal(err)
	}
	goMod, err := os.ReadFile(filepath.Join(repository, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"list": version + "\n", version + ".mod": string(goMod), version + ".info": fmt.Sprintf(`{"Version": %q, "Time": "2026-01-01T00:00:00Z"}`, version),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + filepath.ToSlash(root), version
}
