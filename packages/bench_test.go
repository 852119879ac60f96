package packages_test

import (
	"context"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
)

// BenchmarkWarm measures how long a synth takes if every arm of one architecture is up to date.
func BenchmarkWarm(b *testing.B) {
	dir, handlerDir := b.TempDir(), "../../handlers/echo"
	all := func() {
		w := &packages.Workspace{Dir: dir, ModuleDir: moduleRoot}
		for _, bootstrap := range packages.Bootstraps() {
			// An arm that is impossible or unavailable also takes time.
			_, _ = w.ZIP(context.Background(), bootstrap.Name, arm.ARM64, handlerDir)
			for _, p := range []arm.Package{arm.Image, arm.ImageMinimal} {
				_, _ = w.ImageContext(context.Background(), p, bootstrap.Name, arm.ARM64, handlerDir)
			}
		}
	}
	all()
	for b.Loop() {
		all()
	}
}
