package measure

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// newPace spaces control-plane calls of all functions, because their quota is the account's.
func newPace(every time.Duration) *rate.Limiter {
	if every <= 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Every(every), 1)
}

// Sleep ends early, with an error, when the context does.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
