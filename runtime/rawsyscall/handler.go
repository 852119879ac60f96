package main

import (
	"syscall"
	"unsafe"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// handler is the handler that _HANDLER names, below the task root.
var handler struct {
	file     *byte  // absolute path, as a C string, of the file to source or of the executable
	function string // name of the Bash function, followed by a NUL; "" for an executable
}

// isolation says what the invocations of one environment share.
type isolation string

const (
	byWorker   isolation = "worker"   // one Bash calls the function for all events
	bySubshell isolation = "subshell" // a fork of that Bash for each event
	byProcess  isolation = "process"  // a new Bash for each event, which sources the handler
)

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
	path, function, wrong := runtimeapi.Divide(name)
	if wrong != "" {
		return fail("Runtime.ConfigInvalid").say("handler ").quote(name).say(wrong)
	}
	for root != "/" && root[len(root)-1] == '/' {
		root = root[:len(root)-1]
	}
	file := in(pathMemory[:])
	file.add(root, "/", path)
	mode, denied, verb := uintptr(accessExecute), "Runtime.HandlerNotExecutable", "execute"
	if function != "" {
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
	_, _, errno := syscall.RawSyscall6(sysFstatat, uintptr(at),
		uintptr(unsafe.Pointer(handler.file)), uintptr(unsafe.Pointer(&stat)), 0, 0, 0)
	switch {
	case errno == syscall.ENOENT || errno == syscall.ENOTDIR:
		return fail("Runtime.NoSuchHandler").say("handler ").quote(name).say(": ", file, " does not exist")
	case errno != 0:
		return fail(denied).say("handler ").quote(name).say(": ", file, ": ", meaning(errno))
	case stat.Mode&syscall.S_IFMT != syscall.S_IFREG:
		return fail(denied).say("handler ").quote(name).say(": ", file, " is not a file")
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_FACCESSAT, uintptr(at),
		uintptr(unsafe.Pointer(handler.file)), mode); errno != 0 {
		return fail(denied).say("cannot ", verb, " handler ").quote(name).say(": ", file, ": ", meaning(errno))
	}
	return nil
}
