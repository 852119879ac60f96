package staticbash

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
)

// machine returns the architecture's name for GNU and Zig.
func machine(a arm.Architecture) string {
	if a == arm.ARM64 {
		return "aarch64"
	}
	return string(a)
}

// buildWith runs the recipe in a temporary folder of the cache and renames the result into place. It must be called
// with the lock held, so any other temporary folder was left by a killed build.
func (b *Builder) buildWith(ctx context.Context, cache string, t toolchain, a arm.Architecture) (string, error) {
	if err := t.prepare(ctx, a); err != nil {
		return "", err
	}
	identity, err := t.identity(ctx, a)
	if err != nil {
		return "", err
	}
	source, err := fetchSource(ctx, cache, b.logf)
	if err != nil {
		return "", err
	}
	work := filepath.Join(cache, "work")
	if err := os.RemoveAll(work); err != nil {
		return "", fmt.Errorf("tidying the cache: %w", err)
	}
	defer os.RemoveAll(work)
	out := filepath.Join(work, "build")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", fmt.Errorf("making a folder to build in: %w", err)
	}
	if err := unpack(source, filepath.Join(work, "source")); err != nil {
		return "", err
	}
	if err := os.CopyFS(work, inputs); err != nil {
		return "", fmt.Errorf("writing what Bash is linked with: %w", err)
	}
	b.logf("building Bash %s for %s with %s: about a minute, once", Version, a, identity)
	started := time.Now()
	if err := run(ctx, t, a, work); err != nil {
		return "", fmt.Errorf("%s: %w", identity, err)
	}
	built := filepath.Join(out, "bash")
	if err := check(built, a); err != nil {
		return "", fmt.Errorf("%s: %w", identity, err)
	}
	if err := packFile(built); err != nil {
		return "", fmt.Errorf("%s: %w", identity, err)
	}
	path := product(cache, identity, a)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Chmod(built, 0o755), os.Rename(built, path)); err != nil {
		return "", fmt.Errorf("keeping the static Bash: %w", err)
	}
	b.logf("built in %s: %s", time.Since(started).Round(time.Second), path)
	return path, nil
}

// run runs the recipe. Its error ends with the last line that the tools printed.
func run(ctx context.Context, t toolchain, a arm.Architecture, work string) error {
	cmd, err := t.command(ctx, a, work)
	if err != nil {
		return err
	}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	stopWhole(cmd)
	err = cmd.Run()
	if err == nil || ctx.Err() != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return fmt.Errorf("building: %w: %s", err, last)
	}
	return fmt.Errorf("building: %w", err)
}

// recipeCommand returns the command that runs the recipe on this machine in work/build. Its environment has the
// toolchain's variables and little else, so that variables of the builder (CFLAGS, MAKEFLAGS, answers to configure)
// have no effect.
func recipeCommand(ctx context.Context, a arm.Architecture, work string, path string, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", recipe)
	cmd.Dir = filepath.Join(work, "build")
	cmd.Env = append([]string{
		"PATH=" + path,
		"HOME=" + work,
		"TMPDIR=" + work,
		"SOURCE=../source",
		"ORDER=../order.txt",
		"PARTS=../src",
		"STRIP=-s",
		"MACHINE=" + machine(a),
		fmt.Sprint("JOBS=", runtime.NumCPU()),
	}, env...)
	return cmd
}

// hostTools checks the programs that the recipe needs besides a compiler.
func hostTools() error {
	for _, tool := range []string{"sh", "make", "sed", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not in PATH", tool)
		}
	}
	return nil
}

// check refuses a binary that Lambda could not run: one for another machine, or one that needs a dynamic linker.
func check(path string, a arm.Architecture) error {
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("reading what was built: %w", err)
	}
	defer f.Close()
	want := elf.EM_X86_64
	if a == arm.ARM64 {
		want = elf.EM_AARCH64
	}
	if f.Machine != want {
		return fmt.Errorf("built for %v instead of %v", f.Machine, want)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("built a dynamic program instead of a static one")
		}
	}
	return nil
}
