package main

import "github.com/twinstart/twinstart/runtime/handlerlib"

// libraryMemory holds TWINSTART_LIB=/proc/<pid>/fd/<number>: the library lies in a file in memory, so that a package without it has
// it, and one that does not use it never reads it again.
var libraryMemory [96]byte

// offerLibrary makes the library known to handlers.
func offerLibrary() *failure {
	file, errno := memoryFile()
	if errno == 0 {
		errno = writeAt(file, bytesOf(handlerlib.Script), nil)
	}
	if errno != 0 {
		return cannotStart(errno)
	}
	t := in(libraryMemory[:])
	t.add("TWINSTART_LIB=", self).int(int64(file)).byte(0)
	inheritString(t.string())
	return nil
}
