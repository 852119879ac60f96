package packages_test

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/tools/need"
)

// unzip returns a ZIP's content in the form of tree.
func unzip(t *testing.T, path string) map[string]string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	out := map[string]string{}
	for _, f := range archive.File {
		if got := f.Modified.UTC().Format("2006-01-02T15:04:05"); got != "1980-01-01T00:00:00" {
			t.Errorf("%s is of %s", f.Name, got)
		}
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = f.Mode().String() + string(data)
	}
	return out
}

func TestPackagesHoldTheSameBytes(t *testing.T) {
	ctx, handlerDir := context.Background(), handler(t)
	w := workspace()
	path, err := w.ZIP(ctx, "bashtcp", arm.ARM64, handlerDir)
	if err != nil {
		t.Fatal(err)
	}
	zipped := unzip(t, path)
	script, err := w.Bootstrap(ctx, "bashtcp", arm.ARM64)
	if err != nil {
		t.Fatal(err)
	}
	want := tree(t, script, false)
	delete(want, ".")
	want["handler.sh"] = "-rwxr-xr-xrun() { printf '%s' \"$1\"; }\n"
	want["lib/words.sh"] = "-rwxr-xr-xword=hello\n"
	if diff := cmp.Diff(want, zipped); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	dir, err := w.ImageContext(ctx, arm.Image, "bashtcp", arm.ARM64, handlerDir)
	if err != nil {
		t.Fatal(err)
	}
	image := tree(t, dir, false)
	for name, text := range zipped {
		if image["package/"+name] != text {
			t.Errorf("the image's %s is not the ZIP's", name)
		}
		delete(image, "package/"+name)
	}
	for _, name := range []string{".", "package", "package/lib", "Dockerfile"} {
		if image[name] == "" {
			t.Errorf("the image has no %s", name)
		}
		delete(image, name)
	}
	for name := range image {
		t.Errorf("the image also has %s", name)
	}
}

func TestMinimalImageHasOneBash(t *testing.T) {
	need.Time(t)
	ctx, handlerDir := context.Background(), handler(t)
	w := workspace()
	for _, a := range architectures {
		dir, err := w.ImageContext(ctx, arm.ImageMinimal, "bashtcp-static", a, handlerDir)
		if !available(t, err) {
			if _, err := w.ImageContext(ctx, arm.ImageMinimal, "bashtcp", a, handlerDir); available(t, err) {
				t.Error("an image without a Bash was made")
			}
			need.No(t, err)
		}
		own := tree(t, dir, false)
		if !strings.HasSuffix(own["root/bin/bash"], " -> ../var/task/bash") {
			t.Errorf("/bin/bash is %.40q", own["root/bin/bash"])
		}
		if !strings.HasPrefix(own["package/bootstrap"], "-rwxr-xr-x#!/var/task/bash\n") {
			t.Errorf("the script starts %.40q", own["package/bootstrap"])
		}
		if !strings.HasPrefix(own["root/tmp"], "d") {
			t.Error("there is no /tmp")
		}
		dir, err = w.ImageContext(ctx, arm.ImageMinimal, "bashtcp", a, handlerDir)
		if err != nil {
			t.Fatal(err)
		}
		if tree(t, dir, false)["root/bin/bash"] != own["package/bash"] {
			t.Error("/bin/bash is not the static Bash of the package")
		}
	}
}

func TestCurlNeedsABaseThatHasIt(t *testing.T) {
	w := workspace()
	_, err := w.ImageContext(context.Background(), arm.ImageMinimal, "bashcurl", arm.ARM64, handler(t))
	var impossible *packages.ImpossibleError
	if !errors.As(err, &impossible) || impossible.Arm != "bashcurl/image-minimal" {
		t.Errorf("error %v: want an impossible arm", err)
	}
}

// With nothing but go in PATH, bootstraps that need more are unavailable, each with a reason, and the others are
// built.
func TestMissingToolchains(t *testing.T) {
	need.Time(t)
	bin := t.TempDir()
	link(t, bin, "go")
	t.Setenv("TWINSTART_CACHE", t.TempDir())
	t.Setenv("PATH", bin)
	ctx, handlerDir := context.Background(), handler(t)
	w := workspace()
	for _, id := range []string{"rawtcp-upx/zip", "bashtcp-static/zip", "rawtcp/image-minimal"} {
		bootstrap, p, _ := strings.Cut(id, "/")
		var err error
		if p == "zip" {
			_, err = w.ZIP(ctx, bootstrap, arm.ARM64, handlerDir)
		} else {
			_, err = w.ImageContext(ctx, arm.Package(p), bootstrap, arm.ARM64, handlerDir)
		}
		if err == nil || available(t, err) {
			t.Errorf("%s was built", id)
		}
	}
	if _, err := w.ZIP(ctx, "rawtcp", arm.ARM64, handlerDir); err != nil {
		t.Error(err)
	}
	t.Setenv("PATH", t.TempDir())
	w = workspace()
	if _, err := w.Bootstrap(ctx, "rawtcp", arm.ARM64); err == nil || available(t, err) {
		t.Error("rawtcp was built without go")
	}
}

// link puts a program of the real PATH into a folder.
func link(t *testing.T, dir, program string) {
	t.Helper()
	for _, from := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(from, program)); err == nil {
			if err := os.Symlink(filepath.Join(from, program), filepath.Join(dir, program)); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%s is not in PATH", program)
}

func TestRefusesByNameAndRemedy(t *testing.T) {
	ctx, good := context.Background(), handler(t)
	empty := t.TempDir()
	clash := t.TempDir()
	write(t, filepath.Join(clash, "bootstrap"), "")
	device := t.TempDir()
	if err := os.Symlink("/dev/null", filepath.Join(device, "handler.sh")); err != nil {
		t.Fatal(err)
	}
	w := workspace()
	for _, test := range []struct{ bootstrap, handlerDir, want string }{
		{"nosuch", good, `unknown bootstrap "nosuch": there are bashcurl, `},
		{"bashtcp", filepath.Join(empty, "nosuch"), "there is no handler folder "},
		{"bashtcp", empty, "is empty: put a handler.sh there"},
		{"bashtcp", clash, "the bootstrap also has a file named bootstrap: rename yours"},
		{"bashtcp", device, "is a link to a folder, or a device: a package cannot contain it: copy or remove it"},
	} {
		_, err := w.ZIP(ctx, test.bootstrap, arm.ARM64, test.handlerDir)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v: want %q", err, test.want)
		}
	}
	if _, err := w.ZIP(ctx, "bashtcp", arm.ARM64, filepath.Join(empty, "nosuch")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v does not say that the folder is missing", err)
	}
	if _, err := w.ImageContext(ctx, arm.ZIP, "bashtcp", arm.ARM64, good); err == nil {
		t.Error("no error for the image context of a ZIP")
	}
}

// TestLinkedHandler packs a folder by a link to it.
func TestLinkedHandler(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(handler(t), link); err != nil {
		t.Fatal(err)
	}
	if _, err := workspace().ZIP(t.Context(), "bashtcp", arm.ARM64, link); err != nil {
		t.Error(err)
	}
}

// TestWhatIsLeftOut checks that secrets, history and modules stay out of packages, that this is logged once, and
// that a folder can have another list.
func TestWhatIsLeftOut(t *testing.T) {
	dir := handler(t)
	for _, name := range []string{".env", ".env.local", ".git/config", "node_modules/a/index.js", "lib/node_modules/b.js", "lib/.env", "notes.md", "env"} {
		write(t, filepath.Join(dir, name), "x")
	}
	var log strings.Builder
	w := &packages.Workspace{Dir: t.TempDir(), Log: &log}
	names := func() string {
		t.Helper()
		path, err := w.ZIP(t.Context(), "bashcurl", arm.ARM64, dir)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for name := range unzip(t, path) {
			if name != "bootstrap" {
				out = append(out, name)
			}
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got, want := names(), "env handler.sh lib/words.sh notes.md"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	names()
	const byDefault = "left out of its packages: .env, .env.local, .git, lib/.env, lib/node_modules, node_modules\n"
	if strings.Count(log.String(), byDefault) != 1 {
		t.Errorf("want once %q:\n%s", byDefault, log.String())
	}
	if err := w.Exclude(dir, []string{"*.md", "lib/node_modules"}); err != nil {
		t.Fatal(err)
	}
	if got, want := names(), ".env .env.local .git/config env handler.sh lib/.env lib/words.sh node_modules/a/index.js"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if said := "left out of its packages: lib/node_modules, notes.md\n"; strings.Count(log.String(), said) != 1 {
		t.Errorf("the log does not have %q for another list once:\n%s", said, log.String())
	}
	if err := w.Exclude(dir, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := names(), "env handler.sh lib/words.sh notes.md"; got != want {
		t.Errorf("by default again: %q, want %q", got, want)
	}
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer func(before *os.File) { os.Stderr = before; stderr.Close() }(os.Stderr)
	os.Stderr = stderr
	w = &packages.Workspace{Dir: t.TempDir()}
	names()
	if said, err := os.ReadFile(stderr.Name()); err != nil || !strings.HasSuffix(string(said), byDefault) {
		t.Errorf("without a log: %q, %v", said, err)
	}
	if err := w.Exclude(dir, []string{"["}); err == nil || !strings.Contains(err.Error(), `excluding "["`) {
		t.Error(err)
	}
}
