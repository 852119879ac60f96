package main

import (
	"syscall"
	"unsafe"
)

// starting is the process that vfork starts: the child, on its parent's memory, reads it until it has become another program.
var starting struct {
	path                  *byte
	argv                  [16]*byte // ends in nil
	directory             *byte
	stdin, stdout, stderr int
	control               int // becomes 253, and contextFile 252; closed: none does
}

// childStack is where the child runs meanwhile, from its end downwards.
var childStack [16 << 10]byte

// spawn starts a program as the leader of a process group of its own, with starting's files as 0, 1 and 2 and no others. That it
// could not be executed is its own last words on stderr, and its exit status 127.
func spawn() (pid int, errno syscall.Errno) {
	starting.directory = cStringOf(settings.root, rootMemory[:])
	var all, before uint64 = 1<<64 - 1, 0
	// Under the Go runtime a signal must not find the child on a stack that the handler does not know.
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetMask, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&before)), 8, 0, 0)
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

// vfork starts child on a stack, on this process's memory, and returns when that has called execve or exit; the result is the pid
// or a negated errno.
func vfork(stack unsafe.Pointer) (pid int)

// child becomes what starting says. It may call only what needs no stack check: under the Go runtime g is its parent's.
//
//go:nosplit
func child() { //nolint:unused // by vfork
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
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, 2, uintptr(unsafe.Pointer(unsafe.StringData(cannotExecute))), uintptr(len(cannotExecute)))
	_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 127, 0, 0)
}

// The worker's descriptors of its control channel and of the context, as the scripts say them.
const (
	controlNumber = 253 //nolint:unused // by child
	contextNumber = 252 //nolint:unused // by child
)

const cannotExecute = "cannot be executed: missing, of another architecture, or its interpreter is missing\n" //nolint:unused // by child
