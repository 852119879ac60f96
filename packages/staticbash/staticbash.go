// Package staticbash builds the static Bash: Bash 5.2.15 with musl, 0.4 MB, for both of Lambda's architectures, from
// source whose checksum is pinned here. It runs scripts where there is no Bash, and starts sooner than a larger Bash.
//
// No binary is committed, and every download is checked. In the cache (archive.Cache) a build's name is a hash of its
// inputs, so a second checkout with the same inputs builds nothing. README.md describes the licence.
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

// inputs and the recipe determine the result. order.txt lists what a cold start uses, src has the C sources that are
// linked with Bash, and the Go files are the packer.
//
//go:embed order.txt src pack.go elf.go lz.go filter.go
var inputs embed.FS

// Licence has the files that must be passed on together with a built Bash: the licence's text, where the source is, and
// how to build Bash from it.
//
//go:embed COPYING README.md recipe.sh order.txt src source.go build.go pack.go elf.go lz.go filter.go zig.go
var Licence embed.FS

// Builder builds the static Bash and keeps it in a cache.
type Builder struct {
	Cache string    // absolute path of a folder; "" means archive.Cache
	Log   io.Writer // a line for each step that takes seconds; nil means no log

	zig, recipe string // tests set these, to replace Zig and recipe.sh
}

// Build returns the path of the static Bash for an architecture. If it is not in the cache, Build builds it: that
// takes about a minute on two cores. The error is an *UnavailableError if it cannot be built here. Processes that share
// a cache wait for each other.
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
	errors.As(err, &unavailable) // fetchSource has a better reason and remedy
	unavailable.What = "the static Bash for " + string(a)
	return "", unavailable
}

// finished reports whether there is a build at path. Builds are renamed into place when they are complete.
func finished(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// product returns the path of a build in the cache. The path depends on everything that determines the build's bytes,
// except on the archive that was downloaded, because all accepted archives contain the same source.
func product(cache string, a arm.Architecture) string {
	h := sha256.New()
	fmt.Fprintf(h, "bash %s\nzig %s\n%s\n%s\n", Version, zigVersion, a, recipe)
	// Reading embedded files cannot fail.
	_ = fs.WalkDir(inputs, ".", func(name string, entry fs.DirEntry, err error) error {
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
