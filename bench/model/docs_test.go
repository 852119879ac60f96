package model_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/model"
	"github.com/twinstart/twinstart/runtime/arm"
)

// The residuals in docs/model.md are those of the built-in calibration.
func TestDocumentedResiduals(t *testing.T) {
	text, err := os.ReadFile("../../docs/model.md")
	if err != nil {
		t.Fatal(err)
	}
	f := model.Default().Architectures[arm.ARM64].Fit
	want := []string{fmt.Sprintf("%.1f ms + %.2f us x KiB read", f.InterceptMs, 1000*f.MsPerKiB)}
	for _, r := range f.Residuals {
		want = append(want, fmt.Sprintf("| %.0f | %.1f | %.2f | %.2f |", r.ReadKiB, r.InitMs, r.FittedMs, *r.LeftOut))
	}
	for _, w := range want {
		if !strings.Contains(string(text), w) {
			t.Errorf("docs/model.md lacks %q", w)
		}
	}
}
