package explain

import (
	"regexp"
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// demangled is a C++ or Rust name as its source has it, C's and Go's as they are.
func demangled(name string) string {
	return demangle.Filter(name, demangle.NoParams, demangle.NoTemplateParams)
}

// owner is a symbol's Go package, crate or namespace.
func owner(name string, goBinary bool) string {
	if goBinary {
		return goPackage(name)
	}
	name = strings.TrimPrefix(name, "<")
	if at := strings.Index(name, "::"); at > 0 {
		head := strings.TrimLeft(name[:at], "&*( ")
		for _, prefix := range []string{"dyn ", "mut ", "const "} {
			head = strings.TrimPrefix(head, prefix)
		}
		if head != "" && !strings.ContainsAny(head, " <(") {
			return head
		}
	}
	return "(C and others)"
}

// goPackage is the import path of a Go symbol: up to the first point after the last slash outside of brackets.
func goPackage(name string) string {
	if rest, ok := strings.CutPrefix(name, "type:"); ok {
		return goPackage(strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(rest, ".eq."), ".hash."), "*[]"))
	}
	if strings.HasPrefix(name, "go:") || strings.HasPrefix(name, "_cgo") || strings.HasPrefix(name, "x_cgo") {
		return "(linker)"
	}
	path, _, _ := strings.Cut(name, "[")
	slash := strings.LastIndexByte(path, '/')
	point := strings.IndexByte(path[slash+1:], '.')
	if point < 0 {
		if strings.HasPrefix(name, "runtime") || slash < 0 { // assembly of the runtime: memeqbody, gogo
			return "runtime"
		}
		return path
	}
	return strings.ReplaceAll(path[:slash+1+point], "%2e", ".")
}

// initFunction is a function that runs before main: Go's init, and the initialisation of package-level variables.
var initFunction = regexp.MustCompile(`\.(init(\.\d+)?(\.func\d+)*|map\.init\.\d+|glob\.\.func\d+)$`)

func isInit(function string) bool { return initFunction.MatchString(function) }
