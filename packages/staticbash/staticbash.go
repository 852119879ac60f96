// Package staticbash builds the static Bash that runs scripts where there is no Bash, or where a smaller one starts sooner: Bash
// 5.2.15 with musl, 0.4 MB, for either of Lambda's architectures, from source whose checksum is pinned here.
//
// Nothing is committed and nothing is downloaded that is not checked. What is built is kept by content in the user's cache
// (TWINSTART_CACHE, else twinstart/ in os.UserCacheDir), so that a second checkout builds nothing. README.md tells the licence.
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
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// Version is that of Bash.
const Version = "5.2.15"

//go:embed recipe.sh
var recipe string

// inputs are what Bash is linked with, beside its source: order.txt lists what a cold start touches. The packer's own source is among them,
// for it decides the outcome as well.
//
//go:embed order.txt src pack.go lz.go filter.go
var inputs embed.FS

// Licence is what goes along with a Bash that is passed on: the licence's text, where the source is, and how it becomes that Bash.
//
//go:embed COPYING README.md recipe.sh order.txt src source.go build.go pack.go lz.go filter.go zig.go musl.go
var Licence embed.FS

// UnavailableError says that this machine has no toolchain or no source for it.
type UnavailableError struct {
	Why    string // one clause for each toolchain or source that was tried
	Remedy string // imperative
}

func (e *UnavailableError) Error() string { return e.Why + "; " + e.Remedy }

// Builder builds into a cache of its own choice.
type Builder struct {
	Cache string    // folder; "" = the user's
	Log   io.Writer // a line for what takes seconds; nil = nowhere

	toolchains []toolchain // nil = all, in order of preference
}

// Build returns the path of the static Bash for an architecture, building it where it is not in the cache: about a minute on two
// cores. Progress goes to log, a line a step. The error is an *UnavailableError where it cannot be built here.
func Build(ctx context.Context, a arm.Architecture, log io.Writer) (string, error) {
	return (&Builder{Log: log}).Build(ctx, a)
}

// Build is the function of the same name. Processes that share a cache wait for each other.
func (b *Builder) Build(ctx context.Context, a arm.Architecture) (string, error) {
	cache, err := b.cache()
	if err != nil {
		return "", err
	}
	toolchains := b.toolchains
	if toolchains == nil {
		toolchains = defaultToolchains(cache, b.logf)
	}
	if path := cached(ctx, cache, toolchains, a); path != "" {
		return path, nil
	}
	unlock, err := lock(ctx, filepath.Join(cache, "lock"), b.logf)
	if err != nil {
		return "", fmt.Errorf("locking the cache: %w", err)
	}
	defer unlock()
	if path := cached(ctx, cache, toolchains, a); path != "" {
		return path, nil // built while we waited
	}
	return b.build(ctx, cache, toolchains, a)
}

// build tries one toolchain after the other and tells, when none is left, what each lacked.
func (b *Builder) build(ctx context.Context, cache string, toolchains []toolchain, a arm.Architecture) (string, error) {
	var lacks []string
	for _, t := range toolchains {
		path, err := b.buildWith(ctx, cache, t, a)
		if err == nil {
			return path, nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("building the static Bash: %w", ctx.Err())
		}
		var noSource *UnavailableError
		if errors.As(err, &noSource) {
			return "", err // no other toolchain will find it either
		}
		lacks = append(lacks, err.Error())
	}
	return "", &UnavailableError{
		Why:    strings.Join(lacks, "; "),
		Remedy: "install Python 3 with pip or venv (apt-get install python3-venv make), through which Zig is had, or musl-gcc (musl-tools)",
	}
}

// cached looks for a finished build of any toolchain, in order of preference. It probes nothing slow: a warm call costs a stat.
func cached(ctx context.Context, cache string, toolchains []toolchain, a arm.Architecture) string {
	for _, t := range toolchains {
		identity, err := t.identity(ctx, a)
		if err != nil {
			continue
		}
		path := product(cache, identity, a)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path // renamed into place when complete
		}
	}
	return ""
}

// product is where a build is kept: named by everything that decides its bytes. The archive it was unpacked from does not, since
// all that are accepted hold the same source.
func product(cache, identity string, a arm.Architecture) string {
	h := sha256.New()
	fmt.Fprintf(h, "bash %s\n%s\n%s\n%s\n", Version, identity, a, recipe)
	_ = fs.WalkDir(inputs, ".", func(name string, entry fs.DirEntry, err error) error { // embedded: nothing can go wrong
		if err == nil && !entry.IsDir() {
			text, _ := inputs.ReadFile(name)
			fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
		}
		return err
	})
	return filepath.Join(cache, "staticbash", fmt.Sprintf("%x", h.Sum(nil)[:12]), "bash")
}

// cache makes and names the folder.
func (b *Builder) cache() (string, error) {
	dir := b.Cache
	if dir == "" {
		dir = os.Getenv("TWINSTART_CACHE")
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("choosing a cache folder: %w: set TWINSTART_CACHE to one", err)
		}
		dir = filepath.Join(user, "twinstart")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("choosing a cache folder: %w", err)
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
