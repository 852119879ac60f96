//go:build unix

package assembly

import "syscall"

// errNotDirectory is what opening a file below a file gives.
const errNotDirectory = syscall.ENOTDIR
