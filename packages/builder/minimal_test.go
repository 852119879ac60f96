package builder_test

import (
	"context"
	"errors"
	"testing"

	"github.com/twinstart/twinstart/arm"
	pack "github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/builder"
)

// Images from scratch stay small: bytes, compressed, by bootstrap. A measured figure that grows past these shows here.
func TestMinimalImagesAreSmall(t *testing.T) {
	workspace := &pack.Workspace{Dir: t.TempDir()}
	for bootstrap, most := range map[string]int64{"bashtcp-static": 600_000, "rawsyscall": 1_200_000} {
		for _, a := range []arm.Architecture{arm.ARM64, arm.X8664} {
			dir, err := workspace.ImageContext(context.Background(), arm.ImageMinimal, bootstrap, a, "../../handlers/echo")
			var unavailable *pack.UnavailableError
			if errors.As(err, &unavailable) {
				t.Logf("%s on %s is not measured here: %v", bootstrap, a, err)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			result, err := newBuilder(t).Build(context.Background(), builder.Options{Context: dir, Platform: "linux/" + a.GOARCH()})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s on %s: %d bytes", bootstrap, a, result.Size())
			if result.Size() > most {
				t.Errorf("%s on %s: %d bytes: want at most %d", bootstrap, a, result.Size(), most)
			}
		}
	}
}
