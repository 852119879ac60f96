package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImportsPointOneWay holds what docs/architecture.md says of who may import whom, by everything that each part links.
func TestImportsPointOneWay(t *testing.T) {
	const module = "github.com/twinstart/twinstart/"
	cdk := []string{"github.com/aws/aws-cdk-go/", "github.com/aws/constructs-go/", "github.com/aws/jsii-runtime-go", module + "infra"}
	for part, forbidden := range map[string][]string{
		"bench":         append([]string{module + "lab", module + "tune", module + "cmd"}, cdk...),
		"lab":           append([]string{module + "bench", module + "tune", module + "cmd"}, cdk...),
		"tune":          append([]string{module + "lab", module + "cmd"}, cdk...),
		"cmd/twinstart": cdk,
		"infra":         {module + "lab", module + "cmd"},
	} {
		list := exec.Command("go", "list", "-deps", "./"+part+"/...")
		list.Dir = "../.."
		output, err := list.Output()
		if err != nil {
			t.Fatalf("listing what %s imports: %v", part, err)
		}
		for imported := range strings.Lines(string(output)) {
			imported = strings.TrimSpace(imported)
			for _, prefix := range forbidden {
				if strings.HasPrefix(imported, prefix) && !strings.HasPrefix(imported, module+part+"/") {
					t.Errorf("%s links %s; `go list -deps ./%s/...` and `go mod why` show the way", part, imported, part)
				}
			}
		}
	}
}
