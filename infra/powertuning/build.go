package powertuning

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
)

// program is asked for by its import path, so that it builds from the module cache of somebody who only requires this module.
const program = "github.com/twinstart/twinstart/cmd/tunestep"

// unusedTime is how long a program is kept that no synth has asked for.
const unusedTime = 7 * 24 * time.Hour

// build makes the steps' program in the user's cache folder and returns its folder, which holds bootstrap alone. The bytes depend on the
// sources and the toolchain only. A folder is named by what it holds and complete when it has its name, for several may synthesize
// at a time.
func build(moduleDir, architecture string) (string, error) {
	a, err := arm.ParseArchitecture(architecture)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("looking for a place to build %s: %w", program, err)
	}
	dir := filepath.Join(cache, "twinstart", "powertuning", architecture)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("looking for a place to build %s: %w", program, err)
	}
	fresh, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", fmt.Errorf("looking for a place to build %s: %w", program, err)
	}
	defer os.RemoveAll(fresh)
	cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w -buildid=", "-o", filepath.Join(fresh, "bootstrap"), program)
	cmd.Dir = moduleDir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+a.GOARCH(), "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("building %s: go is not in PATH: install Go 1.26 or later", program)
	} else if err != nil && strings.Contains(output.String(), "missing go.sum entry") {
		return "", fmt.Errorf("building %s: the module in %s lacks sums of what it is made of: run `go mod tidy` there, once", program, cmp.Or(moduleDir, "this folder"))
	} else if err != nil {
		return "", fmt.Errorf("building %s: %w: %s", program, err, strings.Join(strings.Fields(output.String()), " "))
	}
	kept, err := keep(dir, fresh)
	if err != nil {
		return "", fmt.Errorf("keeping %s: %w", program, err)
	}
	return kept, nil
}

// keep gives a folder with a program the name of its content, unless there is one of that name already, and clears away what nobody uses.
func keep(dir, fresh string) (string, error) {
	binary, err := os.ReadFile(filepath.Join(fresh, "bootstrap"))
	if err != nil {
		return "", err
	}
	kept := filepath.Join(dir, fmt.Sprintf("%x", sha256.Sum256(binary))[:16])
	if err := os.Chmod(fresh, 0o755); err != nil {
		return "", err
	}
	err = os.Rename(fresh, kept)
	now := time.Now()
	if touched := os.Chtimes(kept, now, now); touched != nil { // as it would be if another process had not come first
		return "", errors.Join(err, touched)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > unusedTime {
			_ = os.RemoveAll(filepath.Join(dir, entry.Name())) // the next one tries again
		}
	}
	return kept, nil
}
