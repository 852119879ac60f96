package model_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/model"
)

// docs/model.md has the lines, residuals and checks of the built-in calibration.
func TestDocumentedResiduals(t *testing.T) {
	text, err := os.ReadFile("../../../docs/model.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	c := model.Default()
	for _, name := range []arm.Architecture{arm.ARM64, arm.X8664} {
		f := c.Architectures[name].Fit
		want = append(want, fmt.Sprintf("%.1f ms + %.2f us x KiB read", f.InterceptMs, 1000*f.MsPerKiB))
		for _, r := range f.Residuals {
			want = append(want, fmt.Sprintf("| %s | %s | %.0f | %.1f | %.2f | %.2f |", name, r.Name, r.ReadKiB, r.InitMs, r.FittedMs, *r.LeftOut))
		}
		i := c.Architectures[name].Image
		want = append(want, fmt.Sprintf("%.1f ms + %.3f x Init as ZIP", i.InterceptMs, i.PerZipMs))
	}
	for _, x := range c.Compare() {
		if !x.Fitted {
			kind := map[bool]string{false: "ZIP", true: "image"}[x.Image]
			want = append(want, fmt.Sprintf("| %s | %s, %s | %s | %.0f | %.1f | %.1f [%.1f, %.1f] |", x.Architecture, x.Name, x.At, kind, x.ReadKiB, x.Published, x.Predicted, x.Interval[0], x.Interval[1]))
		}
	}
	for _, w := range want {
		if !strings.Contains(string(text), w) {
			t.Errorf("docs/model.md lacks %q", w)
		}
	}
}
