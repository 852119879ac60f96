package bashfunction

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPackageThatIsTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	entry, err := w.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write(make([]byte, 3<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := checkSize(path, 3<<20); err != nil {
		t.Error(err)
	}
	if err := checkSize(path, 2<<20); err == nil || !strings.Contains(err.Error(), "has 3 MB unpacked, and Lambda takes 2 MB") {
		t.Error(err)
	}
}
