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
	b := once(ctx, &w.bash, a, func() (b builtBash) {
		path, err := staticbash.Build(ctx, a, w.Log)
		if unavailable, ok := errors.AsType[*staticbash.UnavailableError](err); ok {
			err = &UnavailableError{What: "the static Bash for " + string(a), Why: unavailable.Why, Remedy: unavailable.Remedy}
		}
		if b.err = err; err == nil {
			b.file, b.err = describe(path, "bash")
		}
		return b
	})
	return b.file, b.err
}
