package packages_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/packages"
)

const importRoot = "github.com/twinstart/twinstart/runtime/"

// goBootstraps maps each Go bootstrap to what it may not link; nil is the rule for all: the standard library and what bootstraps
// share, nothing else.
var goBootstraps = map[string]func(importPath string) bool{
	"nethttp": nil,
	"rawtcp":  nil,
	"lambdago": func(path string) bool {
		return foreign(path) && !strings.HasPrefix(path, "github.com/aws/aws-lambda-go/")
	},
	"rawsyscall": func(path string) bool { return foreign(path) || path == "net" || strings.HasPrefix(path, "net/") },
}

// listed is whether a bootstrap is built yet.
func listed(name string) bool {
	return slices.ContainsFunc(packages.Bootstraps(), func(b packages.Bootstrap) bool { return b.Name == name })
}

// foreign reports whether an import path is neither in the standard library, whose paths have no dot in their first element,
// nor below runtime/.
func foreign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(path, importRoot)
}

func TestBootstrapsLinkOnlyTheStandardLibrary(t *testing.T) {
	for name, forbidden := range goBootstraps {
		if !listed(name) {
			continue
		}
		if forbidden == nil {
			forbidden = foreign
		}
		if chain := importChain(t, importRoot+name, forbidden); chain != nil {
			t.Errorf("%s links %s:\n\t%s", name, chain[len(chain)-1], strings.Join(chain, "\n\timports "))
		}
	}
}

// The rule must be able to fail: aws-lambda-go is found, with the way to it.
func TestImportChainIsFound(t *testing.T) {
	chain := importChain(t, importRoot+"lambdago", foreign)
	if len(chain) < 2 || chain[0] != importRoot+"lambdago" || !strings.HasPrefix(chain[len(chain)-1], "github.com/aws/aws-lambda-go/") {
		t.Errorf("chain %v", chain)
	}
}

// importChain is the shortest chain of imports from a package to a forbidden one, nil when there is none.
func importChain(t *testing.T, from string, forbidden func(string) bool) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-tags=lambda.norpc", "-json=ImportPath,Imports", from)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing %s: %v", from, err)
	}
	imports := map[string][]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		imports[p.ImportPath] = p.Imports
	}
	seen := map[string]bool{from: true}
	for queue := [][]string{{from}}; len(queue) > 0; queue = queue[1:] {
		chain := queue[0]
		last := chain[len(chain)-1]
		if forbidden(last) {
			return chain
		}
		for _, next := range imports[last] {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, append(slices.Clone(chain), next))
			}
		}
	}
	return nil
}

// A module that vendors its dependencies gets every Go bootstrap with them.
func TestVendoredImportsAreComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "vendored.go", nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var vendored []string
	for _, spec := range file.Imports {
		vendored = append(vendored, strings.Trim(spec.Path.Value, `"`))
	}
	for name := range goBootstraps {
		if listed(name) && !slices.Contains(vendored, importRoot+name) {
			t.Errorf("vendored.go does not import %s%s", importRoot, name)
		}
	}
}
