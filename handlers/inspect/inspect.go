// Package inspect embeds a handler that reports what a function finds in its execution environment.
package inspect

import _ "embed"

// Handler is the text of handler.sh.
//
//go:embed handler.sh
var Handler []byte
