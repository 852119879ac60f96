package archive

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
)

// The headers alone must be enough to refuse an image that would fill the disk.
func TestImageLargerThanLambdaTakes(t *testing.T) {
	var text bytes.Buffer
	w := tar.NewWriter(&text)
	for _, name := range []string{"small", "large"} {
		size := map[string]int64{"small": 3, "large": arm.MaxImage - 2}[name]
		if err := w.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("abc"))
	}
	if err := Untar(&text, t.TempDir()); err == nil || !strings.Contains(err.Error(), "larger than 10 GB unpacked") {
		t.Errorf("want an error about the size: %v", err)
	}
}
