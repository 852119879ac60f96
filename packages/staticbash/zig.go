package staticbash

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// zigVersion is pinned: another version has another clang and another musl, and so makes other bytes.
const zigVersion = "0.17.0"

// zigInPath is an installed Zig of the pinned version.
type zigInPath struct{}

func (zigInPath) identity(context.Context, arm.Architecture) (string, error) { return zigIdentity, nil }

// zigIdentity does not depend on where Zig comes from or what it runs on: it is a cross compiler with its own libc.
const zigIdentity = "zig " + zigVersion

func (zigInPath) prepare(ctx context.Context, _ arm.Architecture) error {
	if err := hostTools(); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "zig", "version").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("zig is not in PATH")
	}
	if err != nil {
		return fmt.Errorf("asking zig for its version: %w", err)
	}
	if version := strings.TrimSpace(string(out)); version != zigVersion {
		return fmt.Errorf("zig in PATH is %s, not %s", version, zigVersion)
	}
	return nil
}

func (zigInPath) command(ctx context.Context, a arm.Architecture, work string) (*exec.Cmd, error) {
	path, err := exec.LookPath("zig")
	if err != nil {
		return nil, err
	}
	return zigCommand(ctx, path, a, work)
}

// zigCommand puts wrappers with simple names before PATH, because neither configure nor make can quote a compiler's
// path.
func zigCommand(ctx context.Context, zig string, a arm.Architecture, work string) (*exec.Cmd, error) {
	zig, err := filepath.Abs(zig)
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(work, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, fmt.Errorf("making a folder for the compiler: %w", err)
	}
	for name, args := range map[string]string{
		"target-cc":     "cc -target " + machine(a) + "-linux-musl",
		"target-ar":     "ar",
		"target-ranlib": "ranlib",
		"host-cc":       "cc" + hostTarget(a),
	} {
		script := fmt.Sprintf("#!/bin/sh\nexec %s %s \"$@\"\n", shellQuote(zig), args)
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			return nil, fmt.Errorf("writing a wrapper for zig: %w", err)
		}
	}
	return recipeCommand(ctx, a, work, bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"CC=target-cc", "AR=target-ar", "RANLIB=target-ranlib", "CC_FOR_BUILD=host-cc",
		"ZIG_GLOBAL_CACHE_DIR="+filepath.Join(work, "zig"), "ZIG_LOCAL_CACHE_DIR="+filepath.Join(work, "zig")), nil
}

// hostTarget returns the target for programs that run during the build and write sources. They are static with musl
// if the target's musl can be used. To build another musl would take as long as all of Bash, so otherwise they use
// glibc, whose headers Zig contains, if this machine has glibc.
func hostTarget(target arm.Architecture) string {
	if runtime.GOOS != "linux" {
		return ""
	}
	host, loader := arm.X8664, "/lib64/ld-linux-x86-64.so.2"
	if runtime.GOARCH == "arm64" {
		host, loader = arm.ARM64, "/lib/ld-linux-aarch64.so.1"
	}
	if _, err := os.Stat(loader); err == nil && host != target {
		return " -target " + machine(host) + "-linux-gnu.2.17" // of 2012; later versions are compatible with it
	}
	return " -target " + machine(host) + "-linux-musl"
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// toolchain is a way to compile a static musl program.
type toolchain interface {
	// identity names the compiler by everything that determines its output. It is called at every synth, so it must
	// be fast. An error is a clause that says why this toolchain cannot build for the architecture on this machine.
	identity(ctx context.Context, a arm.Architecture) (string, error)
	// prepare makes the compiler ready and downloads it if necessary. Its error is also such a clause.
	prepare(ctx context.Context, a arm.Architecture) error
	// command returns the command that runs the recipe. The source is in work/source, and the result must be
	// work/build/bash.
	command(ctx context.Context, a arm.Architecture, work string) (*exec.Cmd, error)
}

// defaultToolchains returns the toolchains in the order of preference: Zig builds both architectures, with the same
// bytes on any host.
func defaultToolchains(cache string, logf func(string, ...any)) []toolchain {
	return []toolchain{zigInPath{}, &zigFromPyPI{cache: cache, logf: logf}, musl{}}
}

// musl is musl-gcc as Debian and others package it: the host's GCC with musl's libc, for the host's own
// architecture only.
type musl struct{}

func (musl) identity(ctx context.Context, a arm.Architecture) (string, error) {
	if runtime.GOARCH != a.GOARCH() || runtime.GOOS != "linux" {
		return "", fmt.Errorf("musl-gcc does not build for %s here", a)
	}
	path, err := exec.LookPath("musl-gcc")
	if err != nil {
		return "", errors.New("musl-gcc is not in PATH")
	}
	version, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking musl-gcc for its version: %w", err)
	}
	library, err := exec.CommandContext(ctx, path, "-print-file-name=libc.a").Output()
	if err != nil {
		return "", fmt.Errorf("asking musl-gcc for its libc: %w", err)
	}
	libc, err := os.ReadFile(strings.TrimSpace(string(library)))
	if err != nil {
		return "", fmt.Errorf("reading musl's libc: %w", err)
	}
	first, _, _ := strings.Cut(string(version), "\n")
	return fmt.Sprintf("%s, libc.a %x", first, sha256.Sum256(libc)), nil
}

func (musl) prepare(context.Context, arm.Architecture) error { return hostTools() }

func (musl) command(ctx context.Context, a arm.Architecture, work string) (*exec.Cmd, error) {
	return recipeCommand(ctx, a, work, os.Getenv("PATH"),
		"CC=musl-gcc", "AR=ar", "RANLIB=ranlib", "CC_FOR_BUILD=musl-gcc -static"), nil
}
