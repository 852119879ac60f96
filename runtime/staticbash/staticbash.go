// Package staticbash builds a static Bash.
package staticbash

import (
	"context"
	"io"

	"github.com/twinstart/twinstart/runtime/arm"
)

// UnavailableError says that no toolchain or no source is to be had here.
type UnavailableError struct{ Why, Remedy string }

func (e *UnavailableError) Error() string { return e.Why + ": " + e.Remedy }

// Build returns the path of a static Bash for an architecture.
func Build(ctx context.Context, a arm.Architecture, log io.Writer) (string, error) {
	return "", &UnavailableError{Why: "no toolchain", Remedy: "install one"}
}
