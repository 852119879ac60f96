package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/twinstart/twinstart/packages/handler"
)

// TestExamplesForOtherTools checks that each example names the runtime, the handler and the architecture for which the
// handler's folder is packed. It parses YAML; the job tuner of the workflow ci validates HCL.
func TestExamplesForOtherTools(t *testing.T) {
	dir := filepath.Join(repository, "examples", "package")
	if _, err := (handler.Handler{Dir: filepath.Join(dir, "handler"), Name: "handler.run"}).Check(); err != nil {
		t.Error(err)
	}
	for file, architecture := range map[string]string{"sam/template.yaml": "arm64", "terraform/main.tf": "arm64", "serverless/serverless.yml": "arm64",
		"cdk-typescript/stack.ts": "ARM_64", "cdk-python/app.py": "ARM_64"} {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"twinstart package ", "--arch arm64", "handler.run", architecture} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: no %q", file, want)
			}
		}
		if !strings.Contains(string(text), "provided.al2023") && !strings.Contains(string(text), "PROVIDED_AL2023") {
			t.Errorf("%s: no runtime", file)
		}
		if strings.HasSuffix(filepath.Ext(file), "ml") {
			var document map[string]yaml.Node // SAM's own tags, such as !Ref, are kept
			if err := yaml.Unmarshal(text, &document); err != nil || len(document) < 3 {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
