package lab

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/staticbash"
)

// Within runs a test binary's tests on the root that a function finds here below its package; see sandbox.Within.
// If needs are given, it builds the static Bash first, because that build needs more of the machine than this root
// has.
func Within(run func() int, needs ...arm.Architecture) int {
	return sandbox.Within(run, func(dir string) (sandbox.Layout, error) {
		for _, a := range needs {
			_, _ = staticbash.Build(context.Background(), a, os.Stderr) // a test that needs it reports why it is missing
		}
		b, err := hostBase(dir)
		layout := b.layout()
		layout.Folder, layout.TmpMB = filepath.Join(dir, "package"), 8<<10 // Go's tools also write there
		return layout, errors.Join(err, os.MkdirAll(layout.Folder, 0o755))
	})
}
