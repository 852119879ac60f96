package main

import "github.com/twinstart/twinstart/runtime/handlerlib"

// libraryMemory holds TWINSTART_LIB=/proc/<pid>/fd/<number>. The library is in a file in memory, so a package need
// not contain it, and a handler that does not use it does not read it.
var libraryMemory [96]byte

// offerLibrary sets TWINSTART_LIB for handlers.
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
