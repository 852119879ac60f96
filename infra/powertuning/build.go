package powertuning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
)

// program is asked for by its import path, so that it builds from the module cache of somebody who only requires this module.
const program = "github.com/twinstart/twinstart/cmd/tunestep"

// Build makes the steps' program in the user's cache folder and returns its folder, which holds bootstrap alone. The bytes depend on the
// sources and the toolchain only.
func Build(moduleDir, architecture string) (string, error) {
	a, err := arm.ParseArchitecture(architecture)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("looking for a place to build %s: %w", program, err)
	}
	kept, err := archive.Keep(filepath.Join(cache, "twinstart", "powertuning", architecture), func(dir string) error {
		cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w -buildid=",
			"-o", filepath.Join(dir, "bootstrap"), program)
		cmd.Dir = moduleDir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+a.GOARCH(), "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
		output, err := cmd.CombinedOutput()
		switch text := string(output); {
		case err == nil:
			return nil
		case errors.Is(err, exec.ErrNotFound):
			return errors.New("go is not in PATH: install Go 1.26 or later")
		case strings.Contains(text, "missing go.sum entry"):
			return fmt.Errorf("the module in %s lacks sums of what it is made of: run `go mod tidy` there, once", cmp.Or(moduleDir, "this folder"))
		default:
			return fmt.Errorf("%w: %s", err, strings.Join(strings.Fields(text), " "))
		}
	})
	if err != nil {
		return "", fmt.Errorf("building %s: %w", program, err)
	}
	return kept, nil
}
