package explain

import (
	"debug/buildinfo"
	"io"
	"slices"
	"strings"
)

// readModules notes which modules a Go binary is made of; that survives stripping.
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

// importOf is the module that a package belongs to, or for the standard library what its path begins with: what one would leave out.
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

// unused are the imports that are linked and of which nothing was read.
func (i *image) unused(imports map[string]*Item) (out []string) {
	if !i.goBinary {
		return nil
	}
	for _, s := range i.symbols {
		if strings.HasPrefix(s.name, "type:") {
			continue
		}
		name := i.importOf(goPackage(s.name))
		if imports[name] == nil && !strings.ContainsAny(name, "({[;") && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
