package build

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"github.com/twinstart/twinstart/runtime/arm"
	"github.com/twinstart/twinstart/runtime/staticbash"
)

// builtBash is a static Bash in the cache, or why there is none. The answer stands for the life of a Workspace: where no toolchain
// is to be had, looking for one takes seconds.
type builtBash struct {
	path string
	sum  [sha256.Size]byte
	err  error
}

// staticBash needs the lock.
func (w *Workspace) staticBash(ctx context.Context, a arm.Architecture) (builtBash, error) {
	if b, ok := w.bash[a]; ok {
		return b, b.err
	}
	var b builtBash
	b.path, b.err = staticbash.Build(ctx, a, w.Log)
	var unavailable *staticbash.UnavailableError
	if errors.As(b.err, &unavailable) {
		b.err = &UnavailableError{What: "the static Bash for " + string(a), Why: unavailable.Why, Remedy: unavailable.Remedy}
	}
	if b.err == nil {
		data, err := os.ReadFile(b.path)
		if err != nil {
			b.err = fmt.Errorf("reading the static Bash: %w", err)
		}
		b.sum = sha256.Sum256(data)
	}
	if ctx.Err() == nil {
		if w.bash == nil {
			w.bash = map[arm.Architecture]builtBash{}
		}
		w.bash[a] = b
	}
	return b, b.err
}
