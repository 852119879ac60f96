//go:build never

package packages

// `go mod vendor` copies what a module imports under any build tags. These imports, which no build has, put the Go bootstraps into
// the vendor folder of a module that uses this package, where -mod=vendor then finds them.
import (
	_ "github.com/twinstart/twinstart/runtime/lambdago"
	_ "github.com/twinstart/twinstart/runtime/nethttp"
	_ "github.com/twinstart/twinstart/runtime/rawsyscall"
	_ "github.com/twinstart/twinstart/runtime/rawtcp"
)
