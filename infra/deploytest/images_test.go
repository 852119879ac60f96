//go:build deploy

package deploytest

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// minimalSizes are the largest sizes that images from scratch may have: bytes, compressed, as a registry stores them.
var minimalSizes = map[string]int64{"bashtcp-static/image-minimal": 600_000, "rawsyscall/image-minimal": 1_200_000}

// imageAsset is an image of an assembly.
type imageAsset struct {
	Source       struct{ Directory, Platform string }
	Destinations map[string]struct{ RepositoryName, ImageTag string }
}

// compareImages compares the images that the CDK CLI pushed with their Dockerfiles, byte by byte.
func compareImages(t *testing.T, pushed *registry, assembly string, stack deployed) {
	var manifest struct{ DockerImages map[string]imageAsset }
	text := must(os.ReadFile(filepath.Join(assembly, stack.name+".assets.json")))(t)
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	arms := stack.armsByTag()
	if len(arms) == 0 || len(manifest.DockerImages) != len(arms) {
		t.Errorf("%d images for %d functions", len(manifest.DockerImages), len(arms))
	}
	for _, asset := range manifest.DockerImages {
		for _, destination := range asset.Destinations {
			arm := arms[destination.ImageTag]
			found, err := pushed.get(strings.NewReplacer("${AWS::AccountId}", stack.account, "${AWS::Region}", region).Replace(destination.RepositoryName), destination.ImageTag)
			if err != nil {
				t.Errorf("%s: %v", arm, err)
				continue
			}
			image := must(found.Image())(t)
			said := readDockerfile(t, filepath.Join(assembly, asset.Source.Directory), asset.Source.Platform)
			if diff := cmp.Diff(said.files, flatten(t, image)); diff != "" {
				t.Errorf("%s (-Dockerfile +pushed):\n%s", arm, diff)
			}
			config := must(image.ConfigFile())(t)
			got := dockerfile{config.OS + "/" + config.Architecture, nil, environment(config.Config.Env), config.Config.WorkingDir, config.Config.Entrypoint, config.Config.Cmd}
			said.files = nil
			if diff := cmp.Diff(said, got, cmp.AllowUnexported(dockerfile{})); diff != "" {
				t.Errorf("%s (-Dockerfile +pushed):\n%s", arm, diff)
			}
			size := int64(0)
			for _, layer := range must(image.Manifest())(t).Layers {
				size += layer.Size
			}
			if most, held := minimalSizes[arm]; held {
				t.Logf("%s: %d bytes compressed", arm, size)
				if size > most {
					t.Errorf("%s has %d bytes compressed, want %d at most", arm, size, most)
				}
			}
		}
	}
}

// armsByTag names the arm of each image.
func (d deployed) armsByTag() map[string]string {
	arms := map[string]string{}
	for _, r := range d.template.Resources {
		code, _ := r.Properties["Code"].(map[string]any)
		if uri, ok := d.resolve(code["ImageUri"]).(string); ok {
			arms[uri[strings.LastIndexByte(uri, ':')+1:]] = r.Metadata["twinstart"].(map[string]any)["arm"].(string)
		}
	}
	return arms
}

// dockerfile is the content of a Dockerfile. The test does not use the builder's own reader, because that is under
// test.
type dockerfile struct {
	platform   string
	files      map[string]string // description by path
	env        map[string]string
	workDir    string
	entrypoint []string
	cmd        []string
}

func readDockerfile(t *testing.T, context, platform string) dockerfile {
	t.Helper()
	said := dockerfile{platform: platform, files: map[string]string{}, env: map[string]string{}}
	for line := range strings.Lines(string(must(os.ReadFile(filepath.Join(context, "Dockerfile")))(t))) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		words := strings.Fields(rest)
		switch instruction {
		case "#", "":
		case "FROM":
			if rest == "scratch" {
				said.env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
				continue
			}
			if rest != publicHost+"/"+baseImage+":"+baseTag {
				t.Fatalf("FROM %s", rest)
			}
			said.env["LANG"], said.env["PATH"] = "en_US.UTF-8", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
			for _, file := range baseFiles {
				said.put(file, describe(0o755, []byte(baseContent(file, strings.TrimPrefix(platform, "linux/")))))
			}
		case "COPY":
			said.copy(t, filepath.Join(context, words[0]), words[1])
		case "ENV":
			for _, pair := range words {
				key, value, _ := strings.Cut(pair, "=")
				said.env[key] = value
			}
		case "WORKDIR":
			said.workDir = rest
		case "ENTRYPOINT":
			said.entrypoint = decoded(t, rest)
		case "CMD":
			said.cmd = decoded(t, rest)
		default:
			t.Fatalf("%s is not read here", instruction)
		}
	}
	return said
}

func decoded(t *testing.T, array string) (words []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(array), &words); err != nil {
		t.Fatal(err)
	}
	return words
}

// copy lays out the content of a folder.
func (d dockerfile) copy(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == from {
			return err
		}
		relative, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := path.Join(to, filepath.ToSlash(relative))
		switch entry.Type() {
		case fs.ModeDir:
			d.put(target, "folder")
			return nil
		case fs.ModeSymlink:
			link, err := os.Readlink(name)
			d.put(target, "-> "+link)
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		d.put(target, describe(info.Mode(), content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// put describes a path and the folders above it.
func (d dockerfile) put(name, description string) {
	name = strings.TrimPrefix(name, "/")
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		if d.files[folder] == "" {
			d.files[folder] = "folder"
		}
	}
	d.files[name] = description
}

func describe(mode fs.FileMode, content []byte) string {
	executable := ""
	if mode&0o111 != 0 {
		executable = "executable "
	}
	return fmt.Sprintf("%s%d bytes, sha256 %x", executable, len(content), sha256.Sum256(content))
}

// flatten describes the files that a container of an image would see.
func flatten(t *testing.T, image v1.Image) map[string]string {
	t.Helper()
	files := dockerfile{files: map[string]string{}}
	flat := mutate.Extract(image)
	defer flat.Close()
	for archive := tar.NewReader(flat); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files.files
		}
		if err != nil {
			t.Fatal(err)
		}
		switch h.Typeflag {
		case tar.TypeDir:
			files.put(path.Clean(h.Name), "folder")
		case tar.TypeSymlink:
			files.put(h.Name, "-> "+h.Linkname)
		default:
			files.put(h.Name, describe(h.FileInfo().Mode(), must(io.ReadAll(archive))(t)))
		}
	}
}

func environment(list []string) map[string]string {
	variables := map[string]string{}
	for _, pair := range list {
		key, value, _ := strings.Cut(pair, "=")
		variables[key] = value
	}
	return variables
}
