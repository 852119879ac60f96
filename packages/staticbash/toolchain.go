package staticbash

import (
	"context"
	"os/exec"

	"github.com/twinstart/twinstart/arm"
)

// toolchain is one way to compile a static musl program.
type toolchain interface {
	// identity names the compiler by everything that decides its output. It is asked at every synth and must be cheap; an error
	// says, in a clause, why this toolchain does not build for the architecture on this machine.
	identity(ctx context.Context, a arm.Architecture) (string, error)
	// prepare makes the compiler ready, downloading it where it must. Its error is such a clause too.
	prepare(ctx context.Context, a arm.Architecture) error
	// command is the recipe's, with the source in work/source and the result to be in work/build/bash.
	command(ctx context.Context, a arm.Architecture, work string) (*exec.Cmd, error)
}

// defaultToolchains are in order of preference: Zig builds both architectures and the same bytes on any host.
func defaultToolchains(cache string, logf func(string, ...any)) []toolchain {
	return []toolchain{zigInPath{}, &zigFromPyPI{cache: cache, logf: logf}, musl{}}
}
