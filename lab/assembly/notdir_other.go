//go:build !unix

package assembly

import "io/fs"

var errNotDirectory = fs.ErrNotExist
