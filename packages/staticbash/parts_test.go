package staticbash

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/twinstart/twinstart/arm"
)

// withRecipe returns a builder whose source is in the cache and whose recipe is a shell script. The script stands for
// slow or broken compilers, and does not look at the archive's content.
func withRecipe(t *testing.T, script string) *Builder {
	t.Helper()
	b := &Builder{Cache: t.TempDir(), recipe: script, zig: "/bin/false"}
	before := sources
	t.Cleanup(func() { sources = before })
	path := sources[0].in(filepath.Join(b.Cache, "source"))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	archiveOf(t, path, tar.Header{Name: "bash-5.2.15/configure", Typeflag: tar.TypeReg, Mode: 0o755})
	sources = []source{{before[0].url, sum(t, path)}}
	return b
}

func TestSaysWhatIsWrong(t *testing.T) {
	for script, want := range map[string]string{
		"echo first; echo the reason >&2; exit 3": "exit status 3: the reason",
		"echo text >bash":                         "packing the linked Bash",
		"target-cc":                               "exit status 1",
	} {
		b := withRecipe(t, script)
		_, err := b.Build(context.Background(), arm.ARM64)
		var unavailable *UnavailableError
		if !errors.As(err, &unavailable) || !strings.Contains(unavailable.Why, want) {
			t.Errorf("error %v: want unavailable, with %q", err, want)
		}
		left, err := filepath.Glob(filepath.Join(b.Cache, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range left {
			if base := filepath.Base(path); base != "lock" && base != "source" {
				t.Errorf("%s is left behind", base)
			}
		}
	}
}

func TestCancelEndsTheCompilers(t *testing.T) {
	b := withRecipe(t, "touch ../started; sleep 60 & wait")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(b.Cache, "work", "started")); err == nil {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := b.Build(ctx, arm.ARM64); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v: want cancelled", err)
	}
}

// TestCancelEndsTheDownload cancels a Python whose child goes on: venv and pip start others.
func TestCancelEndsTheDownload(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	alive := filepath.Join(t.TempDir(), "alive")
	cmd := exec.CommandContext(ctx, "sh", "-c", `(while sleep 0.05; do echo >>"$0"; done) & wait`, alive)
	go func() {
		for _, err := os.Stat(alive); err != nil; _, err = os.Stat(alive) {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	cmd.WaitDelay = time.Second
	if err := quiet(cmd); err == nil {
		t.Error("no error")
	}
	before, _ := os.Stat(alive)
	time.Sleep(300 * time.Millisecond)
	if after, _ := os.Stat(alive); after.Size() != before.Size() {
		t.Error("the child goes on")
	}
}

func TestProcessesWaitForEachOther(t *testing.T) {
	b := withRecipe(t, "exit 1")
	lock := flock.New(filepath.Join(b.Cache, "lock"))
	if held, err := lock.TryLock(); err != nil || !held {
		t.Fatal(held, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.Log = writer(func(line string) {
		if strings.Contains(line, "waiting for another process") {
			cancel()
		}
	})
	if _, err := b.Build(ctx, arm.ARM64); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v: want that the wait was cancelled", err)
	}
	lock.Close()
	if _, err := b.Build(t.Context(), arm.ARM64); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("error %v: want the recipe's", err)
	}
}

type writer func(string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}

// A server that is down, has another file, or does not exist is skipped. Only the right file is kept.
func TestOnlyTheRightSourceIsKept(t *testing.T) {
	const good = "the archive"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			fmt.Fprint(w, good)
		case "/other":
			fmt.Fprint(w, "something else")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	right := fmt.Sprintf("%x", sha256Of(good))
	for path, want := range map[string]string{"/other": "the checksum of ", "/none": "404"} {
		err := source{server.URL + path, right}.get(context.Background(), dir)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), server.URL+path) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := (source{server.URL + "/good", right}).get(context.Background(), dir); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "good")); err != nil || string(text) != good {
		t.Errorf("%q, %v", text, err)
	}
	server.Close()
	if err := (source{server.URL + "/down", right}).get(context.Background(), dir); err == nil {
		t.Error("got a file from a server that is down")
	}
}

func TestUnpackStaysInItsFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "evil.tar.gz")
	archiveOf(t, path, tar.Header{Name: "bash-5.2.15/../../evil", Typeflag: tar.TypeReg, Mode: 0o644})
	if err := unpack(path, filepath.Join(dir, "outside")); err == nil {
		t.Error("unpacked outside")
	}
	archiveOf(t, path, tar.Header{Name: "bash-5.2.15/", Typeflag: tar.TypeDir, Mode: 0o755},
		tar.Header{Name: "bash-5.2.15/lib/x", Typeflag: tar.TypeReg, Mode: 0o755, ModTime: time.Now()},
		tar.Header{Name: "bash-5.2.15/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
	if err := unpack(path, filepath.Join(dir, "good")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "good", "lib", "x"))
	if err != nil || info.Mode() != 0o755 || !info.ModTime().Equal(sourceTime) {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unpack(path, filepath.Join(dir, "bad")); err == nil {
		t.Error("unpacked a file that is not an archive")
	}
}

func TestPipInstallsOnlyWhatIsPinned(t *testing.T) {
	if got := zigRequirement(); strings.Count(got, "--hash=sha256:") != 4 || !strings.HasPrefix(got, "ziglang==0.17.0 --hash") {
		t.Errorf("requirement %q", got)
	}
	if args := pipInstall("r", "t"); !slices.Contains(args, "--require-hashes") {
		t.Errorf("pip may install anything: %q", args)
	}
}

func TestCacheFolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TWINSTART_CACHE", filepath.Join(dir, "own"))
	if got, err := (&Builder{}).cache(); err != nil || got != filepath.Join(dir, "own") {
		t.Errorf("%s, %v", got, err)
	}
	t.Setenv("TWINSTART_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := (&Builder{}).cache(); err == nil || !strings.Contains(err.Error(), "TWINSTART_CACHE") {
		t.Errorf("error %v does not say what to set", err)
	}
}

func TestToolsAreNamed(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	b := &Builder{Cache: t.TempDir()}
	_, err := b.Build(context.Background(), arm.ARM64)
	if err == nil || !strings.HasPrefix(err.Error(), "the static Bash for arm64 cannot be built here: sh is not in PATH; install make") {
		t.Errorf("error %v", err)
	}
	for _, tool := range []string{"sh", "make", "sed", "awk"} {
		if err := os.WriteFile(filepath.Join(dir, tool), []byte("#!/bin/sh\necho 0.1.0\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err = b.Build(context.Background(), arm.ARM64)
	if err == nil || !strings.HasPrefix(err.Error(), "the static Bash for arm64 cannot be built here: installing Zig 0.17.0 by pip: python3 is not in PATH; install") {
		t.Errorf("error %v", err)
	}
}

// archiveOf writes an archive of empty files.
func archiveOf(t *testing.T, path string, headers ...tar.Header) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	compressed := gzip.NewWriter(f)
	archive := tar.NewWriter(compressed)
	for _, h := range headers {
		if err := archive.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
}

func sha256Of(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

func sum(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}
