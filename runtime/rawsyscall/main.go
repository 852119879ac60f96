package main

import (
	"syscall"
	"unsafe"
)

// main runs the bootstrap under the Go runtime, where the program was linked without -E=main.entry. Nothing of it is in a program that
// was linked with it.
func main() {
	initialStack = stackOf(commandLine(), syscall.Environ())
	run()
}

// commandLine is os.Args without package os, whose initialisation would be linked in any case.
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

// stackOf lays out arguments and environment as the kernel does.
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
