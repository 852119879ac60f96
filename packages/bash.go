package packages

import (
	"context"
	"errors"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/staticbash"
)

// builtBash is a static Bash in the cache, or why there is none. The answer stands for the life of a Workspace: where no toolchain
// is to be had, looking for one takes seconds.
type builtBash struct {
	file file
	err  error
}

// staticBash needs the lock.
func (w *Workspace) staticBash(ctx context.Context, a arm.Architecture) (file, error) {
	if b, ok := w.bash[a]; ok {
		return b.file, b.err
	}
	path, err := staticbash.Build(ctx, a, w.Log)
	var unavailable *staticbash.UnavailableError
	if errors.As(err, &unavailable) {
		err = &UnavailableError{What: "the static Bash for " + string(a), Why: unavailable.Why, Remedy: unavailable.Remedy}
	}
	var b builtBash
	if b.err = err; err == nil {
		b.file, b.err = describe(path, "bash")
	}
	if ctx.Err() == nil {
		if w.bash == nil {
			w.bash = map[arm.Architecture]builtBash{}
		}
		w.bash[a] = b
	}
	return b.file, b.err
}
