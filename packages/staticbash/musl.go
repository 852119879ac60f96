package staticbash

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

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
