package explain

import (
	"debug/buildinfo"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/ianlancetaylor/demangle"

	"github.com/twinstart/twinstart/arm/list"
)

// readModules reads the modules of a Go binary, which stripping leaves in the file.
func (i *image) readModules(content io.ReaderAt) {
	info, err := buildinfo.Read(content)
	if err != nil {
		return
	}
	i.modules = append(i.modules, info.Main.Path)
	for _, m := range info.Deps {
		i.modules = append(i.modules, m.Path)
	}
}

// importOf returns what a user would leave out to lose a package: its module, or for the standard library "std: " and
// the first element of its path.
func (i *image) importOf(pkg string) string {
	module := ""
	for _, m := range i.modules {
		if (pkg == m || strings.HasPrefix(pkg, m+"/")) && len(m) > len(module) {
			module = m
		}
	}
	first, _, _ := strings.Cut(pkg, "/")
	switch {
	case module != "":
		return module
	case strings.HasPrefix(pkg, "(") || pkg == "main" || strings.Contains(first, "."):
		return pkg
	}
	return "std: " + first
}

// unused returns the imports that are linked, but of which nothing was read.
func (i *image) unused(imports []*Item) (out []string) {
	if !i.goBinary {
		return nil
	}
	for _, s := range i.symbols {
		if strings.HasPrefix(s.name, "type:") {
			continue
		}
		if name := i.importOf(goPackage(s.name)); !strings.ContainsAny(name, "({[;") {
			out = list.Add(out, name)
		}
	}
	out = slices.DeleteFunc(out, func(name string) bool {
		return slices.ContainsFunc(imports, func(item *Item) bool { return item.Name == name })
	})
	slices.Sort(out)
	return out
}

// demangled returns a name as in the source of C++ or Rust. It does not change names of C and Go.
func demangled(name string) string {
	return demangle.Filter(name, demangle.NoParams, demangle.NoTemplateParams)
}

// others is the owner of symbols without a namespace in a program with namespaces: C code in Rust or C++.
const others = "(C and others)"

// owner returns a symbol's Go package, crate or namespace. In a C program each symbol is its own owner.
func (i *image) owner(name string) string {
	if i.goBinary {
		return goPackage(name)
	}
	if space := namespace(name); space != "" {
		return space
	}
	if i.namespaces {
		return others
	}
	return name
}

// namespace returns the crate or C++ namespace of a demangled symbol, or "". For <T as Trait>::method it is the type's,
// or the trait's if the type has none.
func namespace(name string) string {
	if inner, ok := strings.CutPrefix(name, "<"); ok {
		kind, trait, _ := strings.Cut(inner, " as ")
		if space := head(kind); space != "" {
			return space
		}
		return head(trait)
	}
	return head(name)
}

// head returns the first element of a path, or "" if it has only one.
func head(path string) string {
	path = strings.TrimLeft(path, "<&*([ ")
	for _, prefix := range []string{"dyn ", "mut ", "const "} {
		path = strings.TrimPrefix(path, prefix)
	}
	first, _, ok := strings.Cut(path, "::")
	if !ok || strings.ContainsAny(first, " <(>") {
		return ""
	}
	return first
}

// goPackage returns the import path of a Go symbol: the text before the first point after the last slash that is not in
// brackets.
func goPackage(name string) string {
	if rest, ok := strings.CutPrefix(name, "type:"); ok {
		return goPackage(strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(rest, ".eq."), ".hash."), "*[]"))
	}
	for _, prefix := range []string{"go:", "$f", "_cgo", "x_cgo"} {
		if strings.HasPrefix(name, prefix) {
			return "(linker)"
		}
	}
	path, _, _ := strings.Cut(name, "[")
	slash := strings.LastIndexByte(path, '/')
	point := strings.IndexByte(path[slash+1:], '.')
	if point < 0 {
		if strings.HasPrefix(name, "runtime") || slash < 0 { // the runtime's assembly: memeqbody, gogo
			return "runtime"
		}
		return path
	}
	return strings.ReplaceAll(path[:slash+1+point], "%2e", ".")
}

// initFunction matches Go functions that run before main: init, and the initialization of package-level variables.
var initFunction = regexp.MustCompile(`\.(init(\.\d+)?(\.func\d+)*|map\.init\.\d+|glob\.\.func\d+)$`)

func isInit(function string) bool { return initFunction.MatchString(function) }
