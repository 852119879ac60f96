package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An app builds the tuning's program once. If the program has been deleted, the app builds it again.
func TestStepsProgram(t *testing.T) {
	kept := t.TempDir()
	project(t)
	write(t, filepath.Join(buildDir, "something"), "")
	link := filepath.Join(buildDir, "tunestep-arm64")
	if err := os.Symlink(kept, link); err != nil {
		t.Fatal(err)
	}
	if dir, err := stepsProgram("arm64"); err != nil || dir != kept {
		t.Errorf("%s, %v; want %s", dir, err, kept)
	}
	if err := os.RemoveAll(kept); err != nil {
		t.Fatal(err)
	}
	if dir, err := stepsProgram("arm64"); err == nil || !strings.Contains(err.Error(), "power tuning: building ") { // there is no module here
		t.Errorf("want an error, because the deleted program cannot be built here: %s, %v", dir, err)
	}
}
