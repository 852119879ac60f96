//go:build never

package powertuning

// `go mod tidy` and `go mod vendor` follow imports under any build tag. No build has this tag. The import brings
// the program of the steps, with the checksums and sources of its parts, to a module that uses this package.
import _ "github.com/twinstart/twinstart/cmd/tunestep"
