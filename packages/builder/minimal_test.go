package builder_test

import (
	"errors"
	"testing"

	"github.com/twinstart/twinstart/arm"
	pack "github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/builder"
	"github.com/twinstart/twinstart/tools/need"
)

// Images from scratch must stay small. These are limits in compressed bytes by bootstrap, just above measured
// figures.
func TestMinimalImagesAreSmall(t *testing.T) {
	need.Time(t)
	workspace := &pack.Workspace{Dir: t.TempDir()}
	for bootstrap, most := range map[string]int64{"bashtcp-static": 600_000, "rawsyscall": 1_200_000} {
		for _, a := range []arm.Architecture{arm.ARM64, arm.X8664} {
			t.Run(bootstrap+"/"+string(a), func(t *testing.T) {
				dir, err := workspace.ImageContext(t.Context(), arm.ImageMinimal, bootstrap, a, "../../handlers/echo")
				var unavailable *pack.UnavailableError
				if errors.As(err, &unavailable) {
					need.No(t, err)
				}
				if err != nil {
					t.Fatal(err)
				}
				result, err := newBuilder(t).Build(t.Context(), builder.Options{Context: dir, Platform: "linux/" + a.GOARCH()})
				if err != nil {
					t.Fatal(err)
				}
				if result.Size() > most {
					t.Errorf("%d bytes: want at most %d", result.Size(), most)
				}
			})
		}
	}
}
