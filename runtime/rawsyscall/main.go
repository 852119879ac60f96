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
