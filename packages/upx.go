package packages

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// compressed is the recipe of a bootstrap's binary packed by UPX, which unpacks itself at every cold start. UPX
// writes neither a time nor a name into its output: the same version makes the same bytes, also for another
// architecture.
type compressed struct{ of string }

func (c compressed) prepare(ctx context.Context, w *Workspace, a arm.Architecture) (string, func(string) error, error) {
	upx, err := c.upx()
	if err != nil {
		return "", nil, err
	}
	version, err := exec.CommandContext(ctx, upx, "--version").Output()
	if err != nil {
		return "", nil, fmt.Errorf("asking upx for its version: %w", err)
	}
	of, err := w.bootstrap(ctx, c.of, a)
	if err != nil {
		return "", nil, err
	}
	first, _, _ := strings.Cut(string(version), "\n")
	return first + " " + of.key, func(dir string) error {
		cmd := exec.CommandContext(ctx, upx, "--best", "--lzma", "-qqq",
			"-o", filepath.Join(dir, "bootstrap"), filepath.Join(of.dir, "bootstrap"))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("running upx: %w: %s", err, oneLine(string(out)))
		}
		return nil
	}, nil
}

// upx finds the program under its own name or Debian's name.
func (c compressed) upx() (string, error) {
	for _, name := range []string{"upx", "upx-ucl"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &UnavailableError{What: c.of + "-upx", Why: "upx is not in PATH",
		Remedy: "install it (apt-get install upx-ucl, on Debian 12 from bookworm-backports)"}
}
