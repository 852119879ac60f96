package lab_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/assembly"
)

// spec describes one function of a cloud assembly. writeAssembly writes the assembly as the CDK CLI does.
type spec struct {
	variants []arm.Variant // may name layers of other specs
	id       string
	arm      string              // "" for test/zip
	files    map[string]string   // the package: path -> file on disk
	image    string              // Dockerfile; the files are in package/
	root     map[string]string   // files of an image's root/
	layers   []map[string]string // files of each layer
	props    map[string]any      // properties of the function
}

func host() arm.Architecture {
	if runtime.GOARCH == arm.X8664.GOARCH() {
		return arm.X8664
	}
	return arm.ARM64
}

// functionsIn reads the functions of an assembly with one stack.
func functionsIn(dir string) ([]assembly.Function, error) {
	a, err := assembly.Read(dir)
	if err != nil {
		return nil, err
	}
	stack, err := a.Stack("")
	if err != nil {
		return nil, err
	}
	return stack.Functions, nil
}

// functionsOf writes an assembly and reads its functions.
func functionsOf(t testing.TB, specs ...spec) []assembly.Function {
	t.Helper()
	functions, err := functionsIn(writeAssembly(t, specs...))
	must(t, err)
	return functions
}

// writeAssembly writes an assembly and returns its folder.
func writeAssembly(t testing.TB, specs ...spec) string {
	t.Helper()
	dir := t.TempDir()
	const stack = "Twinstart-test"
	files, images, resources := map[string]any{}, map[string]any{}, map[string]any{}
	for _, s := range specs {
		hash := fmt.Sprintf("%064x", len(resources)+1)
		identity := arm.Identity{Experiment: "test", Arm: "test/zip", Bootstrap: "test", Package: arm.ZIP, Architecture: host(), MemorySizeMB: 128, Handler: "echo"}
		if s.arm != "" {
			identity.Arm = s.arm
		}
		identity.Variants = s.variants
		properties := map[string]any{"Architectures": []string{string(host())}, "Role": map[string]any{"Fn::GetAtt": []string{"Role", "Arn"}}}
		if s.image == "" {
			writeZIP(t, filepath.Join(dir, "asset."+hash+".zip"), s.files)
			files[hash] = map[string]any{"source": map[string]string{"path": "asset." + hash + ".zip", "packaging": "file"},
				"destinations": map[string]any{"current_account-current_region": map[string]string{"bucketName": "b", "objectKey": hash + ".zip"}}}
			properties["Code"] = map[string]any{"S3Bucket": map[string]string{"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": hash + ".zip"}
			properties["Runtime"], properties["Handler"] = "provided.al2023", "handler.run"
		} else {
			context := filepath.Join(dir, "asset."+hash)
			for name, from := range s.files {
				copyFile(t, from, filepath.Join(context, "package", name))
			}
			for name, from := range s.root {
				copyFile(t, from, filepath.Join(context, "root", name))
			}
			must(t, os.MkdirAll(context, 0o755))
			must(t, os.WriteFile(filepath.Join(context, "Dockerfile"), []byte(s.image), 0o644))
			images[hash] = map[string]any{"source": map[string]string{"directory": "asset." + hash},
				"destinations": map[string]any{"current_account-current_region": map[string]string{"repositoryName": "r", "imageTag": hash}}}
			properties["Code"] = map[string]any{"ImageUri": map[string]string{"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/r:" + hash}}
			properties["PackageType"] = "Image"
			properties["ImageConfig"] = map[string]any{"Command": []string{"handler.run"}}
		}
		var layers []any
		for i, content := range s.layers {
			id := fmt.Sprintf("%sLayer%d", s.id, i)
			asset := "asset." + id + ".zip"
			if i == 0 {
				writeZIP(t, filepath.Join(dir, asset), content)
			} else { // most of the CDK's assets are folders
				asset = "asset." + id
				for name, from := range content {
					copyFile(t, from, filepath.Join(dir, asset, name))
				}
			}
			files[id] = map[string]any{"source": map[string]string{"path": asset}, "destinations": map[string]any{"d": map[string]string{"objectKey": id + ".zip"}}}
			resources[id] = map[string]any{"Type": "AWS::Lambda::LayerVersion", "Properties": map[string]any{"Content": map[string]string{"S3Key": id + ".zip"}}}
			layers = append(layers, map[string]string{"Ref": id})
		}
		if layers != nil {
			properties["Layers"] = layers
		}
		for name, value := range s.props {
			properties[name] = value
		}
		resources[s.id] = map[string]any{"Type": "AWS::Lambda::Function", "Properties": properties, "Metadata": map[string]any{arm.MetadataKey: identity}}
	}
	resources["Role"] = map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{}}
	writeJSON(t, filepath.Join(dir, stack+".template.json"), map[string]any{"Resources": resources,
		"Metadata": map[string]any{arm.MetadataKey: map[string]any{"notMeasured": []arm.NotMeasured{{Arm: "bashcurl/image-minimal", Why: "no curl"}}}}})
	writeJSON(t, filepath.Join(dir, stack+".assets.json"), map[string]any{"version": "48.0.0", "files": files, "dockerImages": images})
	writeJSON(t, filepath.Join(dir, "manifest.json"), map[string]any{"version": "48.0.0", "artifacts": map[string]any{
		stack + ".assets": map[string]any{"type": "cdk:asset-manifest", "properties": map[string]string{"file": stack + ".assets.json"}},
		stack: map[string]any{"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
			"properties": map[string]string{"templateFile": stack + ".template.json"}},
		"Tree": map[string]any{"type": "cdk:tree", "properties": map[string]string{"file": "tree.json"}},
	}})
	return dir
}

func writeJSON(t testing.TB, path string, v any) {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	must(t, err)
	must(t, os.WriteFile(path, text, 0o644))
}

func writeZIP(t testing.TB, path string, files map[string]string) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	w := zip.NewWriter(f)
	for name, from := range files {
		content, err := os.ReadFile(from)
		must(t, err)
		header := &zip.FileHeader{Name: name, Method: zip.Store}
		header.SetMode(0o755)
		entry, err := w.CreateHeader(header)
		must(t, err)
		_, err = entry.Write(content)
		must(t, err)
	}
	must(t, w.Close())
	must(t, f.Close())
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	must(t, os.WriteFile(to, content, 0o755))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bootstrapVariable names testdata/bootstrap if it is already built.
const bootstrapVariable = "LAB_TEST_BOOTSTRAP"

// built is the folder with the built bootstrap. TestMain removes it.
var built string

// bootstrap builds testdata/bootstrap once.
var bootstrap = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(bootstrapVariable); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "lab-test-bootstrap")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./testdata/bootstrap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func builtBootstrap(t testing.TB) string {
	t.Helper()
	path, err := bootstrap()
	must(t, err)
	return path
}
