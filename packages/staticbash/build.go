package staticbash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/twinstart/twinstart/arm"
)

// build runs the recipe in the cache's folder work, packs the result and renames it to path. Callers must hold the
// cache's lock. So a folder work that exists already was left by a build that was killed.
func (b *Builder) build(ctx context.Context, cache, path string, a arm.Architecture) error {
	for _, tool := range []string{"sh", "make", "sed", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not in PATH", tool)
		}
	}
	zig := b.zig
	if zig == "" {
		var err error
		if zig, err = b.findZig(ctx, cache); err != nil {
			return err
		}
	}
	source, err := fetchSource(ctx, cache, b.logf)
	if err != nil {
		return err
	}
	work := filepath.Join(cache, "work")
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("tidying the cache: %w", err)
	}
	defer os.RemoveAll(work)
	out := filepath.Join(work, "build")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	if err := unpack(source, filepath.Join(work, "source")); err != nil {
		return fmt.Errorf("unpacking the source: %w", err)
	}
	if err := os.CopyFS(work, inputs); err != nil {
		return fmt.Errorf("writing the files that Bash is linked with: %w", err)
	}
	if err := writeCompilers(zig, filepath.Join(work, "bin"), a); err != nil {
		return err
	}
	b.logf("building Bash %s for %s with Zig %s: about a minute, once", Version, a, zigVersion)
	started := time.Now()
	if err := quiet(recipeCommand(ctx, cmp.Or(b.recipe, recipe), a, work)); err != nil {
		return fmt.Errorf("building: %w", err)
	}
	built := filepath.Join(out, "bash")
	if err := packFile(built); err != nil {
		return err
	}
	err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Chmod(built, 0o755), os.Rename(built, path))
	if err != nil {
		return fmt.Errorf("keeping the static Bash: %w", err)
	}
	b.logf("built in %s: %s", time.Since(started).Round(time.Second), path)
	return nil
}

// recipeCommand returns the command that runs the recipe in work/build. Its environment has the recipe's inputs and
// little else, so that variables of the user (CFLAGS, MAKEFLAGS, answers to configure) have no effect.
func recipeCommand(ctx context.Context, recipe string, a arm.Architecture, work string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", recipe)
	cmd.Dir = filepath.Join(work, "build")
	cmd.Env = []string{
		"PATH=" + filepath.Join(work, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + work,
		"TMPDIR=" + work,
		"SOURCE=../source",
		"ORDER=../order.txt",
		"PARTS=../src",
		"STRIP=-s",
		"MACHINE=" + machine(a),
		"CC=target-cc",
		"AR=target-ar",
		"RANLIB=target-ranlib",
		"CC_FOR_BUILD=host-cc",
		"ZIG_GLOBAL_CACHE_DIR=" + filepath.Join(work, "zig"),
		"ZIG_LOCAL_CACHE_DIR=" + filepath.Join(work, "zig"),
		fmt.Sprint("JOBS=", runtime.NumCPU()),
	}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}
