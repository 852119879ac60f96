package assembly

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/packages/archive"
)

// assets is a stack's <stack>.assets.json. It says where the files and images are that the template names by S3 key
// or image tag.
// See https://github.com/aws/aws-cdk-cli/blob/main/packages/@aws-cdk/cloud-assembly-schema/lib/assets/schema.ts.
type assets struct {
	dir   string
	Files map[string]struct {
		Source       struct{ Path string }
		Destinations map[string]struct{ ObjectKey string }
	}
	DockerImages map[string]struct {
		Source       struct{ Directory, DockerFile string }
		Destinations map[string]struct{ ImageTag string }
	}
}

func readAssets(dir, stackID string) (assets, error) {
	a := assets{dir: dir}
	path := filepath.Join(dir, stackID+".assets.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) { // a stack without assets has no such file
		return a, nil
	}
	if err != nil {
		return a, fmt.Errorf("reading the assets of stack %s: %w", stackID, err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("reading %s: %w: %s", path, err, Remedy)
	}
	return a, nil
}

// file finds the ZIP, or the folder to be zipped, for an S3 key. It also returns its size in bytes.
func (a assets) file(key string) (path string, size int64, err error) {
	for _, id := range slices.Sorted(maps.Keys(a.Files)) {
		for _, destination := range a.Files[id].Destinations {
			if destination.ObjectKey == key {
				return a.source(a.Files[id].Source.Path)
			}
		}
	}
	return "", 0, fmt.Errorf("S3 key %q is not an asset of the assembly: %s", key, Remedy)
}

// image finds the context folder of the image with a tag, the name of its Dockerfile, and the size of the other
// files in bytes.
func (a assets) image(tag string) (dir, dockerfile string, size int64, err error) {
	for _, id := range slices.Sorted(maps.Keys(a.DockerImages)) {
		for _, destination := range a.DockerImages[id].Destinations {
			if destination.ImageTag != tag {
				continue
			}
			source := a.DockerImages[id].Source
			dockerfile = cmp.Or(source.DockerFile, "Dockerfile")
			dir, size, err = a.source(source.Directory)
			if info, statErr := os.Stat(filepath.Join(dir, dockerfile)); err == nil && statErr == nil {
				size -= info.Size()
			}
			return dir, dockerfile, size, err
		}
	}
	return "", "", 0, fmt.Errorf("its image, tag %q, is not an asset of the assembly: %s", tag, Remedy)
}

// source finds an asset by its name in the assembly. It also returns its size in bytes. A stage's assembly is a folder
// inside the application's assembly, which has the assets.
func (a assets) source(name string) (path string, size int64, err error) {
	outer := a.dir
	for strings.HasPrefix(filepath.Base(outer), "assembly-") {
		if _, err := os.Stat(filepath.Join(filepath.Dir(outer), "manifest.json")); err != nil {
			break
		}
		outer = filepath.Dir(outer)
	}
	inner, err := filepath.Rel(outer, filepath.Join(a.dir, name))
	if err != nil || filepath.IsAbs(name) {
		inner = name // it leads out of the folder, so local refuses it
	}
	if path, err = local(outer, inner); err != nil {
		return "", 0, err
	}
	if size, err = archive.Size(path); err != nil {
		return "", 0, fmt.Errorf("reading the deployment package: %w: %s", err, Remedy)
	}
	return path, size, nil
}
