package staticbash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
)

// zigVersion is pinned, because another version has another clang and another musl, and so makes other bytes. On every
// host Zig makes the same bytes: it is a cross compiler with its own libc.
const zigVersion = "0.17.0"

// zigWheels are the SHA-256 of PyPI's ziglang wheels, one for each kind of host that can run the recipe. pip installs
// the one for this machine. See https://pypi.org/project/ziglang/.
var zigWheels = []string{
	"97079827064a7492cce5541ceb438ae8003ce1e54e399676da2d62fb7a5dc08b", // Linux x86_64
	"d2804f94f54f7fcf8169f4b212a619ad688a4e2e6592e976f0cf2e58e2cd8af3", // Linux aarch64
	"4d910f0e363ddb60a6b8ddb55235617797a8ccbcb6c5c7132a949d9f833eea42", // macOS x86_64
	"87274af689c4128051b26c80f6f676757e0a81c2fdc137fd8b5679e928e4bc4f", // macOS arm64
}

// findZig returns the path of Zig, which pip installs into the cache, once (100 MB to download, 400 MB on disk). It
// uses the pip of a virtual environment, because not every Python has pip.
func (b *Builder) findZig(ctx context.Context, cache string) (string, error) {
	dir := filepath.Join(cache, "zig-"+zigVersion)
	err := archive.Once(dir, func(dir string) error {
		python, err := exec.LookPath("python3")
		if err != nil {
			return errors.New("python3 is not in PATH")
		}
		tmp, err := os.MkdirTemp(cache, "venv-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		b.logf("downloading Zig %s from PyPI: 100 MB, once", zigVersion)
		if err := quiet(exec.CommandContext(ctx, python, "-m", "venv", tmp)); err != nil {
			return fmt.Errorf("python3 has no venv: %w", err)
		}
		requirements := filepath.Join(tmp, "requirements.txt")
		if err := os.WriteFile(requirements, []byte(zigRequirement()), 0o644); err != nil {
			return err
		}
		return quiet(exec.CommandContext(ctx, filepath.Join(tmp, "bin", "python"), pipInstall(requirements, dir)...))
	})
	if err != nil {
		return "", fmt.Errorf("installing Zig %s by pip: %w", zigVersion, err)
	}
	return filepath.Join(dir, "ziglang", "zig"), nil
}

// zigRequirement returns a line in pip's requirements format that pins version and content.
func zigRequirement() string {
	return "ziglang==" + zigVersion + " --hash=sha256:" + strings.Join(zigWheels, " --hash=sha256:") + "\n"
}

func pipInstall(requirements, target string) []string {
	return []string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1",
		"--no-deps", "--only-binary=:all:", "--no-compile", "--require-hashes", "--target", target, "-r", requirements}
}

// quiet runs a command. If it fails, the error has the last line of its output. Its cancellation also ends what it has
// started, such as compilers and pip.
func quiet(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}

// writeCompilers makes a folder with a wrapper of Zig for each tool that the recipe calls. The wrappers have simple
// names, because neither configure nor make can quote a compiler's path.
func writeCompilers(zig, dir string, a arm.Architecture) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making a folder for the compiler: %w", err)
	}
	for name, args := range map[string]string{
		"target-cc":     "cc -target " + machine(a) + "-linux-musl",
		"target-ar":     "ar",
		"target-ranlib": "ranlib",
		"host-cc":       "cc", // for programs that run during the build and write sources
	} {
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' %s \"$@\"\n", strings.ReplaceAll(zig, "'", `'\''`), args)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			return fmt.Errorf("writing a wrapper for zig: %w", err)
		}
	}
	return nil
}

// machine returns the architecture's name for GNU and Zig.
func machine(a arm.Architecture) string {
	if a == arm.ARM64 {
		return "aarch64"
	}
	return string(a)
}
