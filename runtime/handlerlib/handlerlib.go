// Package handlerlib holds the library that handlers in Bash may source: `. "$TWINSTART_LIB"`. It is Bash alone, without a fork, and
// shared by the bootstraps; what its functions do is in docs/handler-contract.md.
package handlerlib

import _ "embed"

// Script is the library, as text that ends in a newline.
//
//go:embed lambda.sh
var Script string
