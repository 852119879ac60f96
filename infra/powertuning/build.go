package powertuning

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/runtime/arm"
)

// program is asked for by its import path, so that it builds from the module cache of somebody who only requires this module.
const program = "github.com/twinstart/twinstart/tune/cmd/tunestep"

// build makes the steps' program in the user's cache folder and returns its folder, which holds bootstrap alone. The bytes depend on the
// sources and the toolchain only.
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
	cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w -buildid=", "-o", filepath.Join(dir, "bootstrap"), program)
	cmd.Dir = moduleDir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+a.GOARCH(), "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("building %s: go is not in PATH: install Go 1.26 or later", program)
	} else if err != nil {
		return "", fmt.Errorf("building %s: %w: %s", program, err, strings.Join(strings.Fields(output.String()), " "))
	}
	return dir, nil
}
