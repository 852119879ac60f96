package main

import (
	"syscall"
	"unsafe"
)

// main runs the bootstrap under the Go runtime, if the program was linked without -E=main.entry. With that flag the
// linker leaves main out.
func main() {
	initialStack = stackOf(commandLine(), syscall.Environ())
	run()
}

// commandLine returns the same as os.Args. Package os is not used, because its initialisation would always be
// linked.
func commandLine() (args []string) {
	fd, err := syscall.Open("/proc/self/cmdline", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	line := make([]byte, 64<<10)
	n, _ := syscall.Read(fd, line)
	for start, i := 0, 0; i < n; i++ {
		if line[i] == 0 {
			args = append(args, string(line[start:i]))
			start = i + 1
		}
	}
	return args
}

// stackOf lays out arguments and environment in memory as the kernel does on the stack.
func stackOf(args, environ []string) unsafe.Pointer {
	words := make([]unsafe.Pointer, 0, len(args)+len(environ)+3)
	words = append(words, nil)
	*(*int)(unsafe.Pointer(&words[0])) = len(args)
	for _, list := range [][]string{args, environ} {
		for _, s := range list {
			words = append(words, unsafe.Pointer(unsafe.StringData(s+"\x00")))
		}
		words = append(words, nil)
	}
	return unsafe.Pointer(&words[0])
}

// initialStack points to what the kernel put on the stack: argc, pointers to the arguments, nil, pointers to the
// environment, nil.
var initialStack unsafe.Pointer

// g stands for the goroutine that compiled code expects in a register. Functions read only its third word
// (runtime.g.stackguard0), the lower limit of the stack. Here that limit is so low that no stack reaches it; the
// kernel guards the real end of the stack.
var g = [64]uintptr{2: 4096} //nolint:unused // used by entry

// threadLocal is where the FS register points on amd64. It holds a pointer to g.
var threadLocal [2]uintptr //nolint:unused // used by entry

func entry() //nolint:unused // used by the linker

// arguments and environ return the C strings that the kernel passed.
func arguments() []*byte {
	return unsafe.Slice((**byte)(unsafe.Add(initialStack, wordSize)), *(*int)(initialStack))
}

func environ() []*byte {
	first := (**byte)(unsafe.Add(initialStack, wordSize*(2+*(*int)(initialStack))))
	return unsafe.Slice(first, countPointers(first))
}

const wordSize = int(unsafe.Sizeof(uintptr(0)))

// countPointers counts the pointers before a nil.
func countPointers(first **byte) (n int) {
	for *(**byte)(unsafe.Add(unsafe.Pointer(first), wordSize*n)) != nil {
		n++
	}
	return n
}

// cString returns a Go string that shares the bytes of a C string, without its NUL.
func cString(p *byte) string {
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return unsafe.String(p, n)
}
