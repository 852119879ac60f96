package staticbash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// zigWheels are the SHA-256 of PyPI's ziglang wheels, one for each kind of host that can run the recipe. pip takes
// the one that fits.
// See https://pypi.org/project/ziglang/.
var zigWheels = []string{
	"97079827064a7492cce5541ceb438ae8003ce1e54e399676da2d62fb7a5dc08b", // Linux x86_64
	"d2804f94f54f7fcf8169f4b212a619ad688a4e2e6592e976f0cf2e58e2cd8af3", // Linux aarch64
	"4d910f0e363ddb60a6b8ddb55235617797a8ccbcb6c5c7132a949d9f833eea42", // macOS x86_64
	"87274af689c4128051b26c80f6f676757e0a81c2fdc137fd8b5679e928e4bc4f", // macOS arm64
}

// zigFromPyPI is a Zig that pip installs into the cache once: 100 MB to download, 400 MB on disk.
type zigFromPyPI struct {
	cache string
	logf  func(string, ...any)
}

func (*zigFromPyPI) identity(context.Context, arm.Architecture) (string, error) {
	return zigIdentity, nil
}

func (z *zigFromPyPI) dir() string { return filepath.Join(z.cache, "zig-"+zigVersion) }

func (z *zigFromPyPI) zig() string { return filepath.Join(z.dir(), "ziglang", "zig") }

func (z *zigFromPyPI) command(ctx context.Context, a arm.Architecture, work string) (*exec.Cmd, error) {
	return zigCommand(ctx, z.zig(), a, work)
}

func (z *zigFromPyPI) prepare(ctx context.Context, _ arm.Architecture) error {
	if err := hostTools(); err != nil {
		return err
	}
	if _, err := os.Stat(z.zig()); err == nil {
		return nil // the folder is renamed into place when it is complete
	}
	tmp, err := os.MkdirTemp(z.cache, "zig-")
	if err != nil {
		return fmt.Errorf("making a folder for Zig: %w", err)
	}
	defer os.RemoveAll(tmp)
	python, err := pythonWithPip(ctx, filepath.Join(tmp, "venv"))
	if err != nil {
		return err
	}
	z.logf("downloading Zig %s from PyPI: 100 MB, once", zigVersion)
	requirements := filepath.Join(tmp, "requirements.txt")
	if err := os.WriteFile(requirements, []byte(zigRequirement()), 0o644); err != nil {
		return fmt.Errorf("writing a pip requirement: %w", err)
	}
	target := filepath.Join(tmp, "zig")
	if err := quiet(exec.CommandContext(ctx, python, pipInstall(requirements, target)...)); err != nil {
		return fmt.Errorf("installing Zig by pip: %w", err)
	}
	if err := os.RemoveAll(z.dir()); err != nil {
		return fmt.Errorf("keeping Zig: %w", err)
	}
	return os.Rename(target, z.dir())
}

// zigRequirement returns a line in pip's requirements format that pins version and content.
func zigRequirement() string {
	return "ziglang==" + zigVersion + " --hash=sha256:" + strings.Join(zigWheels, " --hash=sha256:") + "\n"
}

func pipInstall(requirements, target string) []string {
	return []string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1", "--no-deps",
		"--only-binary=:all:", "--no-compile", "--require-hashes", "--target", target, "--requirement", requirements}
}

// pythonWithPip returns the machine's Python if it has pip, else one in a virtual environment, which contains pip.
func pythonWithPip(ctx context.Context, venv string) (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("python3 is not in PATH")
	}
	if quiet(exec.CommandContext(ctx, python, "-m", "pip", "--version")) == nil {
		return python, nil
	}
	if err := quiet(exec.CommandContext(ctx, python, "-m", "venv", venv)); err != nil {
		return "", errors.New("python3 has neither pip nor venv")
	}
	return filepath.Join(venv, "bin", "python"), nil
}

// quiet runs a command. If it fails, the error has the last line of its output.
func quiet(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return fmt.Errorf("%w: %s", err, lines[len(lines)-1])
}
