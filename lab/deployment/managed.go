package deployment

import (
	"fmt"
	"path"
	"strings"
)

// ManagedError says that a package is for a managed runtime, which the lab and the prediction do not support.
type ManagedError struct {
	Package string
	Runtime string // its family: python, nodejs, java, dotnet or ruby
}

func (e *ManagedError) Error() string {
	return fmt.Sprintf("%s is for a managed runtime (%s): only provided.* packages and images can be measured here; for this one: twinstart logs, or twinstart tune --source aws",
		e.Package, e.Runtime)
}

// managed returns the runtime that the files at the top of a package are for, or "" if no file shows it. The first
// file that shows a runtime decides, because helpers in a package may be in any language.
func managed(names ...string) string {
	for _, name := range names {
		dir, base := path.Split(name)
		switch ext := strings.ToLower(path.Ext(base)); {
		case base == "package.json" && dir == "":
			return "nodejs"
		case strings.HasSuffix(base, ".runtimeconfig.json") && dir == "":
			return "dotnet"
		case ext == ".py" && dir == "":
			return "python"
		case (ext == ".mjs" || ext == ".cjs" || ext == ".js") && dir == "":
			return "nodejs"
		case ext == ".rb" && dir == "":
			return "ruby"
		case ext == ".jar" && (dir == "" || dir == "lib/"), ext == ".class":
			return "java"
		}
	}
	return ""
}
