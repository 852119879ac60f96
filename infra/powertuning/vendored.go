//go:build never

package powertuning

// `go mod tidy` and `go mod vendor` follow imports under any build tags. This one, which no build has, brings the steps' program with the
// sums and the sources of what it is made of to a module that uses this package.
import _ "github.com/twinstart/twinstart/cmd/tunestep"
