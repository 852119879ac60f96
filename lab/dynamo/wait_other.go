//go:build !linux

package dynamo

import "time"

// wait returns after a time.
func wait(d time.Duration) { time.Sleep(d) }
