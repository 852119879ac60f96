package measure

import (
	"context"
	"time"
)

// What a run on AWS is guessed to take before it begins: a cold start, most of which is waiting for an update, and a warm invocation.
const (
	coldTakes = 1800 * time.Millisecond
	warmTakes = 80 * time.Millisecond
)

// Estimate is about how long it takes to measure so many functions on AWS.
func Estimate(functions int, o Options) time.Duration {
	o = o.withDefaults()
	turns := time.Duration((functions + o.Parallel - 1) / o.Parallel)
	cold, warm := time.Duration(o.Cold+min(o.Warm, o.Environments)), time.Duration(o.Warm)
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
