package images_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/images"
	"github.com/twinstart/twinstart/packages/dockerfile"
)

// Every image runs the bootstrap at the path that it has in the ZIP, and copies nothing but the package to that
// folder.
func TestImagesRunThePackage(t *testing.T) {
	for _, p := range arm.Packages() {
		text, err := images.Dockerfile(p)
		if p == arm.ZIP {
			if err == nil {
				t.Error("a ZIP has no Dockerfile")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		image, err := dockerfile.Read(bytes.NewReader(text), string(p), dockerfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(image.Entrypoint, []string{"/var/task/bootstrap"}) || !slices.Equal(image.Cmd, []string{"handler.run"}) {
			t.Errorf("%s runs %q %q", p, image.Entrypoint, image.Cmd)
		}
		if !slices.Contains(image.Env, "LAMBDA_TASK_ROOT=/var/task") || image.WorkingDir != "/var/task" {
			t.Errorf("%s: environment %v, working folder %s", p, image.Env, image.WorkingDir)
		}
		last := image.Copies[len(image.Copies)-2] // before WORKDIR
		if !slices.Equal(last.Sources, []string{"package"}) || last.Dest != "/var/task/" {
			t.Errorf("%s copies %v to %s", p, last.Sources, last.Dest)
		}
	}
}
