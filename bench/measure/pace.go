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

// What a run on AWS is guessed to take before it begins: a cold start, most of which is waiting for an update, and a warm invocation.
const (
	coldTakes = 1800 * time.Millisecond
	warmTakes = 80 * time.Millisecond
)

// Estimate is about how long it takes to measure so many functions on AWS.
func Estimate(functions int, o Options) time.Duration {
	o = o.withDefaults()
	turns := time.Duration((functions + o.Parallel - 1) / o.Parallel)
	cold, warm := time.Duration(o.Cold), time.Duration(o.Warm)
	if o.Warm > 0 {
		cold += time.Duration(min(o.Warm, o.Environments))
	}
	return max(turns*coldTakes, time.Duration(functions)*o.Pace)*cold + turns*warm*warmTakes
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
