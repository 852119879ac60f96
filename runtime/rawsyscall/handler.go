package main

import (
	"syscall"
	"unsafe"
)

// handler is the handler that _HANDLER names, below the task root.
var handler struct {
	file     *byte  // absolute path, as a C string, of the file to source or of the executable
	function string // name of the Bash function, followed by a NUL; "" for an executable
}

var (
	pathMemory     [4 << 10]byte
	functionMemory [256]byte
)

// resolve finds the handler: "file.function" is a function of root/file.sh, "file" is the executable root/file.
// Either may be in a folder below root. Every byte of the name is checked, because the name becomes a path and a
// function's name. The conformance table checks that rules and errors are the same as those of package perevent.
func resolve(root, name string) *failure {
	if name == "" {
		return fail("Runtime.ConfigInvalid").say("no handler: set _HANDLER to file.function, or to the name of an executable")
	}
	path, function, found := cutFunction(name)
	if found && !validFunction(function) {
		return fail("Runtime.ConfigInvalid").say("handler ").quote(name).
			say(": want file.function, with a function name of letters, digits and _")
	}
	if !validPath(path) {
		return fail("Runtime.ConfigInvalid").say("handler ").quote(name).
			say(": want a relative path of letters, digits, dots, - and _, without ..")
	}
	for root != "/" && root[len(root)-1] == '/' {
		root = root[:len(root)-1]
	}
	file := in(pathMemory[:])
	file.add(root, "/", path)
	mode, denied, verb := uintptr(accessExecute), "Runtime.HandlerNotExecutable", "execute"
	if found {
		file.add(".sh")
		mode, denied, verb = accessRead, "Runtime.HandlerNotReadable", "read"
	}
	if len(file.bytes) >= len(pathMemory)-1 || len(function) >= len(functionMemory) {
		return fail("Runtime.ConfigInvalid").say("handler ").quote(name[:64]).say("...: the name is too long")
	}
	handler.file = cStringOf(file.string(), pathMemory[:])
	cStringOf(function, functionMemory[:])
	handler.function = asString(functionMemory[:len(function)])
	return check(name, file.string(), mode, denied, verb)
}

// Modes of access(2), from <unistd.h>.
const (
	accessRead    = 4
	accessExecute = 1
)

// check makes sure that the file exists and can be used.
func check(name, file string, mode uintptr, denied, verb string) *failure {
	var stat syscall.Stat_t
	at := -100 // AT_FDCWD
	_, _, errno := syscall.RawSyscall6(sysFstatat, uintptr(at), uintptr(unsafe.Pointer(handler.file)), uintptr(unsafe.Pointer(&stat)), 0, 0, 0)
	switch {
	case errno == syscall.ENOENT || errno == syscall.ENOTDIR:
		return fail("Runtime.NoSuchHandler").say("handler ").quote(name).say(": ", file, " does not exist")
	case errno != 0:
		return fail(denied).say("handler ").quote(name).say(": ", file, ": ", meaning(errno))
	case stat.Mode&syscall.S_IFMT != syscall.S_IFREG:
		return fail(denied).say("handler ").quote(name).say(": ", file, " is not a file")
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_FACCESSAT, uintptr(at), uintptr(unsafe.Pointer(handler.file)), mode); errno != 0 {
		return fail(denied).say("cannot ", verb, " handler ").quote(name).say(": ", file, ": ", meaning(errno))
	}
	return nil
}

// cutFunction splits file.function at the last dot of the path's last part.
func cutFunction(name string) (path, function string, found bool) {
	for i := len(name) - 1; i >= 0 && name[i] != '/'; i-- {
		if name[i] == '.' {
			return name[:i], name[i+1:], true
		}
	}
	return name, "", false
}

// validPath reports whether every part of a relative path is a plain name: not empty, ".", ".." or an option.
func validPath(path string) bool {
	start := 0
	for i := 0; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			if c := path[i]; !wordByte(c) && c != '.' && c != '-' {
				return false
			}
			continue
		}
		if part := path[start:i]; part == "" || part == "." || part == ".." || part[0] == '-' {
			return false
		}
		start = i + 1
	}
	return true
}

// validFunction reports whether Bash accepts the name of a function in all its modes: [A-Za-z_][A-Za-z0-9_]*.
func validFunction(name string) bool {
	for i := range len(name) {
		if !wordByte(name[i]) {
			return false
		}
	}
	return name != "" && (name[0] < '0' || name[0] > '9')
}

func wordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}
