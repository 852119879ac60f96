//go:build unix

package assembly

import "syscall"

// errNotDirectory is the error for opening a path below a file.
const errNotDirectory = syscall.ENOTDIR
