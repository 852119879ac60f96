// Package inspect is a handler that says what a function finds where it runs.
package inspect

import _ "embed"

// Handler is handler.sh.
//
//go:embed handler.sh
var Handler []byte
