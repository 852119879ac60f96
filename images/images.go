// Package images holds the container definitions, one folder each: a Dockerfile that only copies, so that the image holds the very
// bytes of the ZIP and can be built without a Docker daemon. See packages/dockerfile for what a Dockerfile here may say.
package images

import (
	"embed"
	"fmt"

	"github.com/twinstart/twinstart/arm"
)

//go:embed */Dockerfile
var files embed.FS

var folders = map[arm.Package]string{
	arm.Image:        "provided-al2023",
	arm.ImageMinimal: "minimal",
}

// Dockerfile returns the definition of an image. Its context has the folders package/ and, for a minimal one, root/.
func Dockerfile(p arm.Package) ([]byte, error) {
	folder, ok := folders[p]
	if !ok {
		return nil, fmt.Errorf("package %q is no image: use %s or %s", p, arm.Image, arm.ImageMinimal)
	}
	return files.ReadFile(folder + "/Dockerfile")
}
