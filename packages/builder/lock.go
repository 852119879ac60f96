package builder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lock does what lockContext does, for work that takes milliseconds.
func (s *Store) lock(what string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return s.lockContext(ctx, what)
}

// lockContext waits until no other process, and nothing else in this process, does the same work on this store. If
// the holder of a lock dies, the kernel releases the lock.
func (s *Store) lockContext(ctx context.Context, what string) (unlock func(), err error) {
	dir := filepath.Join(s.dir, "locks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(what))
	file := flock.New(filepath.Join(dir, hex.EncodeToString(sum[:8])), flock.SetPermissions(0o600))
	held, err := file.TryLockContext(ctx, 20*time.Millisecond)
	switch {
	case held:
		return func() { file.Close() }, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("waiting for another process that works on %s (%s): %w", what, file.Path(), context.Cause(ctx))
	}
	return nil, fmt.Errorf("locking %s: %w", file.Path(), err)
}
