// Package staticbash builds the static Bash. It runs scripts where there is no Bash, or where a smaller Bash starts
// sooner. It is Bash 5.2.15 with musl, 0.4 MB, for both of Lambda's architectures, from source whose checksum is
// pinned here.
//
// No binary is committed, and every download is checked. Builds are kept by content in the cache (archive.Cache), so
// a second checkout builds nothing. README.md describes the licence.
package staticbash

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
)

// Version is the version of Bash.
const Version = "5.2.15"

//go:embed recipe.sh
var recipe string

// inputs are linked with Bash: order.txt lists what a cold start touches, src has C sources. The packer's source is
// included, because it also determines the result.
//
//go:embed order.txt src pack.go lz.go filter.go
var inputs embed.FS

// Licence must accompany a Bash that is passed on: the licence's text, where the source is, and how to build Bash
// from it.
//
//go:embed COPYING README.md recipe.sh order.txt src source.go build.go pack.go lz.go filter.go zig.go
var Licence embed.FS

// UnavailableError says that something cannot be built on this machine, although it can be built elsewhere. Its
// arms are left out and shown as not measured.
type UnavailableError struct {
	What   string // the bootstrap, or "the static Bash for arm64"
	Why    string // "upx is not in PATH"; for a source, a clause for each place that was tried
	Remedy string // what to do about it, in the imperative
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%s cannot be built here: %s; %s", e.What, e.Why, e.Remedy)
}

// Builder builds into a given cache.
type Builder struct {
	Cache string    // absolute path of a folder; "" means archive.Cache
	Log   io.Writer // a line for each step that takes seconds; nil means no log

	zig, recipe string // what tests put in the place of Zig and recipe.sh
}

// Build returns the path of the static Bash for an architecture. If it is not in the cache, Build builds it: that
// takes about a minute on two cores. log gets a line for each step. The error is an *UnavailableError if it cannot
// be built here.
func Build(ctx context.Context, a arm.Architecture, log io.Writer) (string, error) {
	return (&Builder{Log: log}).Build(ctx, a)
}

// Build does what the function Build does. Processes that share a cache wait for each other.
func (b *Builder) Build(ctx context.Context, a arm.Architecture) (string, error) {
	cache, err := b.cache()
	if err != nil {
		return "", err
	}
	path := product(cache, a)
	if finished(path) {
		return path, nil
	}
	lock := flock.New(filepath.Join(cache, "lock"))
	defer lock.Close()
	held, err := lock.TryLock()
	if err == nil && !held {
		b.logf("waiting for another process that builds it")
		_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		return "", fmt.Errorf("locking the cache: %w", err)
	}
	if finished(path) {
		return path, nil // another process built it meanwhile
	}
	err = b.build(ctx, cache, path, a)
	if err == nil {
		return path, nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("building the static Bash: %w", ctx.Err())
	}
	unavailable := &UnavailableError{Why: err.Error(),
		Remedy: "install make, and Python 3 with venv, which gets Zig " + zigVersion + " (apt-get install python3-venv make)"}
	errors.As(err, &unavailable) // the source is
	unavailable.What = "the static Bash for " + string(a)
	return "", unavailable
}

// finished reports whether there is a build at path. Builds are renamed into place when they are complete.
func finished(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// product returns the path of a build in the cache. Its name depends on everything that determines the build's
// bytes. It does not depend on the archive, because all accepted archives contain the same source.
func product(cache string, a arm.Architecture) string {
	h := sha256.New()
	fmt.Fprintf(h, "bash %s\nzig %s\n%s\n%s\n", Version, zigVersion, a, recipe)
	_ = fs.WalkDir(inputs, ".", func(name string, entry fs.DirEntry, err error) error { // it is embedded, so there is no error
		if err == nil && !entry.IsDir() {
			text, _ := inputs.ReadFile(name)
			fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
		}
		return err
	})
	return filepath.Join(cache, "staticbash", fmt.Sprintf("%x", h.Sum(nil)[:12]), "bash")
}

// cache makes the cache folder and returns its path.
func (b *Builder) cache() (dir string, err error) {
	if dir = b.Cache; dir == "" {
		if dir, err = archive.Cache(); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the cache folder: %w: set TWINSTART_CACHE to one that can be written", err)
	}
	return dir, nil
}

func (b *Builder) logf(format string, args ...any) {
	if b.Log != nil {
		fmt.Fprintf(b.Log, "static Bash: "+format+"\n", args...)
	}
}
