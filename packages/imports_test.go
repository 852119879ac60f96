package packages_test

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

const importRoot = "github.com/twinstart/twinstart/runtime/"

// A module that vendors its dependencies must get every Go bootstrap with them.
func TestVendoredImportsAreComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "vendored.go", nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var vendored []string
	for _, spec := range file.Imports {
		vendored = append(vendored, strings.Trim(spec.Path.Value, `"`))
	}
	for _, name := range []string{"nethttp", "rawtcp", "lambdago", "rawsyscall"} {
		if !slices.Contains(vendored, importRoot+name) {
			t.Errorf("vendored.go does not import %s%s", importRoot, name)
		}
	}
}
