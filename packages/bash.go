package packages

import (
	"context"
	"errors"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/staticbash"
)

// builtBash is a static Bash in the cache, or the reason why there is none. A Workspace keeps the result, because
// it takes seconds to find out that there is no toolchain.
type builtBash struct {
	file file
	err  error
}

// staticBash must be called with the lock held.
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
