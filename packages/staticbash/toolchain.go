package staticbash

import (
	"context"
	"os/exec"

	"github.com/twinstart/twinstart/arm"
)

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
