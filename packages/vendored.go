//go:build never

package packages

// `go mod vendor` copies the imports of all build tags. No build has this file's tag, but the imports put the Go
// bootstraps into the vendor folder of a module that uses this package, where -mod=vendor finds them.
import (
	_ "github.com/twinstart/twinstart/runtime/lambdago"
	_ "github.com/twinstart/twinstart/runtime/nethttp"
	_ "github.com/twinstart/twinstart/runtime/rawsyscall"
	_ "github.com/twinstart/twinstart/runtime/rawtcp"
)
