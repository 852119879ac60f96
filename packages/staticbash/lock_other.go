//go:build !linux && !darwin

package staticbash

import (
	"context"
	"os/exec"
)

// lock does not lock on this system. The recipe needs a POSIX shell and make, so it hardly runs here; two builds at
// once would disturb each other.
func lock(context.Context, string, func(string, ...any)) (func(), error) { return func() {}, nil }

func stopWhole(*exec.Cmd) {}
