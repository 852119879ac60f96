package main

import (
	"syscall"
	"unsafe"
)

// starting describes the process that vfork starts. Until execve the child shares its parent's memory, and reads
// starting.
var starting struct {
	path                  *byte
	argv                  [16]*byte // ends in nil
	directory             *byte
	stdin, stdout, stderr int
	control               int // the child gets it as 253, and contextFile as 252; if it is closed, the child gets neither
}

// inherited is the environment of handlers in the form that execve takes. It has room for what is added for a
// process.
var inherited struct {
	entries [maxEntries + 16]*byte
	n       int
}

const maxEntries = 4096

// startShell makes starting a shell that runs a script. fifth and sixth are the script's $5 and $6.
func startShell(script string, fifth, sixth *byte) {
	libraries, unset := withheld()
	starting.path = unsafe.StringData(shell)
	starting.argv = [16]*byte{starting.path, unsafe.StringData("-c\x00"), unsafe.StringData(script), starting.path,
		handler.file, unsafe.StringData(handler.function), libraries, unset, fifth, sixth}
}

// childStack is the child's stack until execve. It grows down from the end.
var childStack [16 << 10]byte

// spawn starts a program as the leader of a new process group. The program gets starting's files as 0, 1 and 2, and
// no others. If it cannot be executed, the child writes that to stderr and exits with status 127.
func spawn() (pid int, errno syscall.Errno) {
	starting.directory = cStringOf(settings.root, rootMemory[:])
	var all, before uint64 = 1<<64 - 1, 0
	// Block signals: under the Go runtime a signal handler must not run on the child's stack, which it does not
	// know.
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetMask,
		uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&before)), 8, 0, 0)
	pid = vfork(unsafe.Add(unsafe.Pointer(&childStack), len(childStack)&^15))
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetMask, uintptr(unsafe.Pointer(&before)), 0, 8, 0, 0)
	if pid < 0 {
		return 0, syscall.Errno(-pid)
	}
	return pid, 0
}

const sigSetMask = 2

var rootMemory [4 << 10]byte

// cStringOf copies a string and its NUL into memory.
func cStringOf(s string, memory []byte) *byte {
	n := copy(memory[:len(memory)-1], s)
	memory[n] = 0
	return &memory[0]
}

// vfork starts child on the given stack in this process's memory. It returns when the child has called execve or
// exit. The result is the pid or a negated errno.
func vfork(stack unsafe.Pointer) (pid int)

// child executes the process that starting describes. It may only call functions without a stack check, because under
// the Go runtime it has its parent's g.
//
//go:nosplit
func child() { //nolint:unused // used by vfork
	var none uint64
	_, _, _ = syscall.RawSyscall(syscall.SYS_SETPGID, 0, 0, 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetMask, uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_DUP3, uintptr(starting.stdin), 0, 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_DUP3, uintptr(starting.stdout), 1, 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_DUP3, uintptr(starting.stderr), 2, 0)
	if starting.control >= 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_DUP3, uintptr(starting.control), controlNumber, 0)
		_, _, _ = syscall.RawSyscall(syscall.SYS_DUP3, uintptr(contextFile), contextNumber, 0)
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_CHDIR, uintptr(unsafe.Pointer(starting.directory)), 0, 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(starting.path)),
		uintptr(unsafe.Pointer(&starting.argv)), uintptr(unsafe.Pointer(&inherited.entries)))
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, 2,
		uintptr(unsafe.Pointer(unsafe.StringData(cannotExecute))), uintptr(len(cannotExecute)))
	_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 127, 0, 0)
}

// The worker's descriptors of its control channel and of the context. The scripts use the same numbers.
const (
	controlNumber = 253 //nolint:unused // used by child
	contextNumber = 252 //nolint:unused // used by child
)

//nolint:unused // used by child
const cannotExecute = "cannot be executed: missing, of another architecture, or its interpreter is missing\n"

// shell runs the functions. provided.al2023 has Bash at this path; an image without a base brings its own.
const shell = "/bin/bash\x00"

// systemFirst reports whether the dynamic linker finds the same libraries without LD_LIBRARY_PATH=folders. That is
// so if the system's folders come first, as in Lambda's own value. With the variable each start of a Bash looks for
// some 30 missing files in each of the folders. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime; Lambda's
// base images put /var/lang/lib first, although they do not contain it.
func systemFirst(folders string) bool {
	const image, system = "/var/lang/lib:", "/lib64:/usr/lib64:"
	if len(folders) > len(image) && folders[:len(image)] == image {
		folders = folders[len(image):]
	}
	return len(folders) >= len(system) && folders[:len(system)] == system
}

// prepareShell trims the environment so that Bash starts faster; restore is the shell code that undoes it. If SHELL
// is not set, Bash looks up the user's shell in the system's databases. That takes 20 system calls and reads files
// that nothing else needs.
func prepareShell() {
	switch {
	case handler.function != "" && !settings.shellSet:
		inheritString("SHELL=" + shell)
	case handler.function == "" && settings.libraries != nil:
		inherit(settings.libraries)
	}
}

// withheld returns the last two arguments of restore. libraries is the value of LD_LIBRARY_PATH if prepareShell
// removed it, else "". unset is "x" if the environment has no SHELL, else "".
func withheld() (libraries, unset *byte) {
	const none, some = "\x00", "x\x00"
	libraries, unset = unsafe.StringData(none), unsafe.StringData(none)
	if settings.libraries != nil {
		libraries = (*byte)(unsafe.Add(unsafe.Pointer(settings.libraries), len("LD_LIBRARY_PATH=")))
	}
	if !settings.shellSet {
		unset = unsafe.StringData(some)
	}
	return libraries, unset
}
