// Package bashcurl embeds the bootstrap in Bash and curl, the baseline of the experiment.
package bashcurl

import _ "embed" // for the script

// Bootstrap is the script.
//
//go:embed bootstrap
var Bootstrap []byte
