package main

import "github.com/twinstart/twinstart/runtime/handlerlib"

// libraryMemory holds TWINSTART_LIB=/proc/<pid>/fd/<number>: the library lies in a file in memory, so that a package without it has
// it, and one that does not use it never reads it again.
var libraryMemory [96]byte

// offerLibrary makes the library known to handlers. It may be written while the worker starts: nothing asks for it earlier.
func offerLibrary() (file int, f *failure) {
	file, errno := memoryFile()
	if errno != 0 {
		return closed, cannotStart(errno)
	}
	t := in(libraryMemory[:])
	t.add("TWINSTART_LIB=", self).int(int64(file)).byte(0)
	inheritString(t.string())
	return file, nil
}

func writeLibrary(file int) {
	text := handlerlib.Script
	_ = writeAt(file, bytesOf(text), nil)
}
