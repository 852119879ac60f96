// Package images holds the container definitions, one folder for each. Each Dockerfile only copies, so the image
// contains the same bytes as the ZIP and can be built without a Docker daemon. packages/dockerfile lists the
// instructions that are allowed.
package images

import (
	"embed"
	"fmt"

	"github.com/twinstart/twinstart/arm"
)

//go:embed */Dockerfile
var files embed.FS

var folders = map[arm.Package]string{
	arm.Image: "provided-al2023", arm.ImageMinimal: "minimal",
}

// Dockerfile returns the Dockerfile of an image. Its build context has the folder package/ and, for ImageMinimal,
// root/.
func Dockerfile(p arm.Package) ([]byte, error) {
	folder, ok := folders[p]
	if !ok {
		return nil, fmt.Errorf("package %q is not an image: use %s or %s", p, arm.Image, arm.ImageMinimal)
	}
	return files.ReadFile(folder + "/Dockerfile")
}
