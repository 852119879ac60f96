//go:build !linux

package dynamo

import "time"

func wait(d time.Duration) { time.Sleep(d) }
